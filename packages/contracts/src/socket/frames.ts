/**
 * Frames of the daemon's socket, version 2: JSON text, one object a frame.
 *
 * The talk: daemon `hello` → server `welcome` (what to keep, what to end, up to where reports are
 * applied) → commands and acks, reports and acks, a heartbeat every 10 s that renews all leases at once,
 * asks both ways. A reconnect is the same talk again.
 *
 * Law: every frame is parsed by these schemas where it enters; an unknown type closes the socket. Daemons leave
 * out keys that only a newer server knows (`forward.ts`), servers take nothing that they do not know.
 */
import { z } from 'zod';
import { zId, zTime } from '../ids.ts';
import { zCommand } from './commands.ts';
import { zReport, type Report, type UnreadableReport } from './reports.ts';
import { zDaemonAsk, zServerAsk } from './asks.ts';

export const socketProtocol = 2;

/** Why the server closes a daemon's socket. */
export const closeCodes = {
  protocol: 4400,
  unauthenticated: 4401,
  silent: 4408,
  replaced: 4409,
  draining: 4503,
} as const;

export const zRunning = z.strictObject({ taskId: zId, attempt: z.int().positive() });
export type Running = z.infer<typeof zRunning>;

export const zAgentInfo = z.strictObject({
  kind: z.string(),
  version: z.string().nullable(),
  tested: z.boolean(),
  available: z.boolean(),
  signedIn: z.boolean().nullable(),
  note: z.string().nullable(),
  /** Whose usage limits it shares with the same agent of other daemons; without one it is this daemon's alone. */
  account: z.string().max(100).optional(),
});
export type AgentInfo = z.infer<typeof zAgentInfo>;

export const zDaemonFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.int(),
    /** New at each start of the daemon's process. */
    bootId: zId,
    /** The journal on disk; a new one only when the old one is lost. */
    journalId: zId,
    /** Number of the last command that this daemon took (0: none). */
    lastCommandSeq: z.int().nonnegative(),
    version: z.string(),
    host: z.string().max(255),
    maxConcurrentTasks: z.int().positive(),
    agents: z.array(zAgentInfo),
    /** Attempts whose agent is alive here or whose end is not yet acked. */
    running: z.array(zRunning),
  }),
  z.strictObject({
    type: z.literal('reports'),
    journalId: zId,
    /** Number of the first report in `reports`; the others follow without a gap. */
    fromSeq: z.int().positive(),
    reports: z.array(zReport).min(1),
  }),
  /** Commands up to this number are journalled here and will be applied. */
  z.strictObject({ type: z.literal('ack'), commandSeq: z.int().positive() }),
  z.strictObject({
    type: z.literal('heartbeat'),
    /** Rises by one each time; echoed in the answer. */
    beat: z.int().nonnegative(),
    running: z.array(zRunning),
    freeDiskBytes: z.int().nonnegative().nullable(),
  }),
  z.strictObject({ type: z.literal('ask'), askId: zId, ask: zDaemonAsk }),
  z.strictObject({
    type: z.literal('answer'),
    askId: zId,
    ok: z.boolean(),
    result: z.unknown(),
    error: z.string().nullable(),
  }),
]);
export type DaemonFrame = z.infer<typeof zDaemonFrame>;

/** The envelope of reports; each of them is read by itself, so that one that does not fit stops no other. */
export const zReportsEnvelope = z.strictObject({
  type: z.literal('reports'),
  journalId: zId,
  fromSeq: z.int().positive(),
  reports: z.array(z.unknown()).min(1),
});

export interface ReportsTaken extends Omit<z.infer<typeof zReportsEnvelope>, 'reports'> {
  readonly reports: (Report | UnreadableReport)[];
}

/** A frame of a daemon as the server takes it. */
export type TakenFrame = Exclude<DaemonFrame, { type: 'reports' }> | ReportsTaken;
export type Hello = Extract<DaemonFrame, { type: 'hello' }>;

export const zServerFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('welcome'),
    daemonId: zId,
    sessionEpoch: z.int().positive(),
    /** Reports of the named journal up to this number are applied. */
    reportAck: z.int().nonnegative(),
    /** Attempts that go on. */
    keep: z.array(zRunning),
    /** Attempts that are over for the server: stop the agent, keep the work on a ref. */
    fenced: z.array(zRunning),
    serverTime: zTime,
  }),
  z.strictObject({
    type: z.literal('commands'),
    /** Nothing that is still to be taken lies between this number and the last one here. */
    after: z.int().nonnegative(),
    /** In order of their numbers. */
    commands: z.array(z.strictObject({ seq: z.int().positive(), command: zCommand })).min(1),
  }),
  z.strictObject({ type: z.literal('ack'), journalId: zId, reportSeq: z.int().nonnegative() }),
  z.strictObject({
    type: z.literal('lease'),
    beat: z.int().nonnegative(),
    leaseMs: z.int().positive(),
    renewed: z.array(zRunning),
    fenced: z.array(zRunning),
  }),
  z.strictObject({ type: z.literal('ask'), askId: zId, ask: zServerAsk }),
  z.strictObject({
    type: z.literal('answer'),
    askId: zId,
    ok: z.boolean(),
    result: z.unknown(),
    error: z.string().nullable(),
    /** No refusal: whoever could answer was away or had too much to do. */
    retryable: z.literal(true).optional(),
  }),
  /** Reconnect elsewhere after this long; the socket closes soon. */
  z.strictObject({ type: z.literal('goaway'), afterMs: z.int().nonnegative() }),
  /** A frame was refused; the socket stays open unless it is closed right after. */
  z.strictObject({ type: z.literal('error'), code: z.string(), message: z.string() }),
]);
export type ServerFrame = z.infer<typeof zServerFrame>;
export type ServerFrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;
