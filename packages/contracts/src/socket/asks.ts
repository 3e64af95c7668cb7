/**
 * Short questions over the daemon's socket that may fail and are asked again: no row, no journal, 10 s.
 *
 * Law: an ask never changes the state of a contract.
 */
import { z } from 'zod';
import { zId, zSha } from '../ids.ts';

export const askTimeoutMs = 10_000;

/** From a daemon to the control plane. */
export const zDaemonAsk = z.discriminatedUnion('kind', [
  /** The key with which this attempt's tool calls are forwarded; issued anew each time, kept in memory only. */
  z.strictObject({ kind: z.literal('tool-key'), taskId: zId, attempt: z.int().positive() }),
  /** Lines of the conversation's transcript from `fromSeq` on. */
  z.strictObject({
    kind: z.literal('transcript'),
    taskId: zId,
    attempt: z.int().positive(),
    fromSeq: z.int().positive(),
  }),
  /** A part of a checkpoint's patch. */
  z.strictObject({
    kind: z.literal('patch'),
    taskId: zId,
    attempt: z.int().positive(),
    checkpointId: zId,
    part: z.int().nonnegative(),
  }),
  /** A part of another machine's pack: of work that this one was told to merge, or of the contract's branch. */
  z.strictObject({ kind: z.literal('pack'), operationId: zId, part: z.int().nonnegative() }),
  /** What carries the contract's branch, which held this commit: asked by a machine that does not have it. */
  z.strictObject({ kind: z.literal('branch'), contractId: zId, commitSha: zSha }),
]);
export type DaemonAsk = z.infer<typeof zDaemonAsk>;

export const daemonAskResults = {
  'tool-key': z.strictObject({ key: z.string() }),
  transcript: z.strictObject({
    lines: z.array(z.string()),
    nextSeq: z.int().positive().nullable(),
  }),
  pack: z.strictObject({ data: z.string() }),
  /** Its head by now, and the parts that are asked for by `pack`; 0 when none were sent. */
  branch: z.strictObject({ commitSha: zSha, operationId: zId, parts: z.int().nonnegative() }),
  patch: z.strictObject({ data: z.string(), parts: z.int().nonnegative(), baseSha: z.string() }),
} as const;

/** From the control plane to a daemon. */
export const zServerAsk = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('read-file'), taskId: zId, filePath: z.string() }),
]);
export type ServerAsk = z.infer<typeof zServerAsk>;

export const serverAskResults = {
  'read-file': z.strictObject({
    content: z.string(),
    exists: z.boolean(),
    refused: z.string().nullable(),
  }),
} as const;
