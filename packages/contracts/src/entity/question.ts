/** Questions and the inbox on the wire (seed 002; M8.11). A question keeps its id for ever. */
import { z } from 'zod';
import { askableTypes, questionStatuses, questionTypes } from '@makima/domain/question';
import { inboxKinds } from '@makima/domain/attention';
import { zId, zTime } from '../ids.ts';
import { wireLimits } from '../limits.ts';

export const zQuestion = z.object({
  id: zId,
  contractId: zId.nullable(),
  contractSlug: z.string().nullable(),
  /** Of a question that an agent of a directive asked. */
  directiveId: zId.nullable(),
  taskId: zId.nullable(),
  question: z.string(),
  context: z.string().nullable(),
  choices: z.array(z.string()),
  multiSelect: z.boolean(),
  phaseguard: z.boolean(),
  nonBlocking: z.boolean(),
  questionType: z.enum(questionTypes),
  status: z.enum(questionStatuses),
  response: z.string().nullable(),
  answeredBy: z.string().nullable(),
  answeredAt: zTime.nullable(),
  askedAt: zTime,
  /** The task whose agent asks; null when the control plane does. */
  askedBy: z.string().nullable(),
  isRestored: z.boolean(),
  /** The tool that a permission is about. */
  tool: z.object({ name: z.string(), input: z.unknown() }).nullable(),
  /** The answer that is taken when nobody gives one; `at` null: a person stopped the countdown. */
  default: z.object({ answer: z.string(), at: zTime.nullable() }).nullable(),
  /** What a confirmation would confirm: phase change, its version, the deliverables as they stand. */
  confirmation: z
    .object({
      id: zId,
      fromPhase: z.string(),
      toPhase: z.string().nullable(),
      contractVersion: z.int(),
      deliverables: z.array(z.record(z.string(), z.unknown())),
    })
    .nullable(),
});
export type Question = z.infer<typeof zQuestion>;

export const zAskInput = z.strictObject({
  question: z.string().trim().min(1).max(wireLimits.messageChars),
  choices: z.array(z.string().min(1).max(2_000)).max(50).default([]),
  context: z.string().max(wireLimits.messageChars).optional(),
  timeoutSeconds: z.int().min(0).max(86_400).default(3_600),
  phaseguard: z.boolean().default(false),
  multiSelect: z.boolean().default(false),
  nonBlocking: z.boolean().default(false),
  questionType: z.enum(askableTypes).default('general'),
  /** Taken as the answer when nobody has given one after so many seconds; not for guards and confirmations. */
  default: z
    .strictObject({
      answer: z.union([
        z.string().min(1).max(2_000),
        z.array(z.string().min(1).max(2_000)).min(1).max(50),
      ]),
      afterSeconds: z.int().min(5).max(2_592_000),
    })
    .optional(),
});
export type AskInput = z.infer<typeof zAskInput>;

export const zAskResult = z.object({
  questionId: zId,
  response: z.string().nullable(),
  timedOut: z.boolean(),
  stillPending: z.boolean(),
  /** Nobody will answer: what it showed has changed, or its contract is over. */
  withdrawn: z.boolean(),
});

export const zAnswerInput = z.strictObject({
  response: z.union([
    z.string().min(1).max(wireLimits.messageChars),
    z.array(z.string().min(1).max(2_000)).min(1).max(50),
  ]),
});

/** One thing that needs a person, most urgent first. */
export const zInboxItem = z.object({
  kind: z.enum(inboxKinds),
  rank: z.int(),
  since: zTime,
  contractId: zId.nullable(),
  contractSlug: z.string().nullable(),
  contractName: z.string().nullable(),
  title: z.string(),
  question: zQuestion.nullable(),
  /** The command that acts on it. */
  act: z.string(),
});
export type InboxItem = z.infer<typeof zInboxItem>;
