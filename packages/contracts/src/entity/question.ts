/** Questions and the inbox on the wire (seed 002; M8.11). A question keeps its id for ever. */
import { z } from 'zod';
import { questionStatuses, questionTypes } from '@makima/domain/question';
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
  isRestored: z.boolean(),
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
  questionType: z.enum(['general', 'phase_confirmation', 'contract_complete']).default('general'),
});
export type AskInput = z.infer<typeof zAskInput>;

export const zAskResult = z.object({
  questionId: zId,
  response: z.string().nullable(),
  timedOut: z.boolean(),
  stillPending: z.boolean(),
});

export const zAnswerInput = z.strictObject({
  response: z.union([
    z.string().min(1).max(wireLimits.messageChars),
    z.array(z.string().min(1).max(2_000)).min(1).max(50),
  ]),
});

/** One thing that needs a person, most urgent first. */
export const zInboxItem = z.object({
  kind: z.enum(['question', 'confirmation', 'failure', 'blocked']),
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
