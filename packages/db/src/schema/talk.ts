/** Questions, conversations, output, transcripts, snapshots, checkpoints and their patches. */
import { sql } from 'drizzle-orm';
import {
  boolean,
  bytea,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  primaryKey,
  snakeCase,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { AskedTool, OutputLine } from '@makima/contracts/socket/reports';
import type { Permit } from '@makima/domain/permit';
import type { QuestionStatus, QuestionSubject, QuestionType } from '@makima/domain/question';
import { bornAt, id, moment, ownerId } from './columns.ts';
import { confirmations } from './contracts.ts';
import { directiveKey } from './directives.ts';
import { tasks } from './tasks.ts';

const taskKey = (t: { ownerId: any; taskId: any }) =>
  foreignKey({
    columns: [t.ownerId, t.taskId],
    foreignColumns: [tasks.ownerId, tasks.id],
  }).onDelete('cascade');

export const questions = snakeCase.table(
  'questions',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    directiveId: uuid(),
    /** Who asked; null when the control plane asks by itself. */
    taskId: uuid(),
    /** Id of the agent's own question (its tool-use id), so that a resumed agent asks it only once. */
    askKey: text(),
    askedEpoch: integer(),
    /** The newest epoch to which it was delivered again. */
    redeliveredEpoch: integer(),
    question: text().notNull(),
    context: text(),
    choices: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    multiSelect: boolean().notNull().default(false),
    phaseguard: boolean().notNull().default(false),
    nonBlocking: boolean().notNull().default(false),
    questionType: text().$type<QuestionType>().notNull().default('general'),
    confirmationId: uuid(),
    /** The tool that a permission is about, with its input as far as it fits. */
    tool: jsonb().$type<AskedTool>(),
    /** What a person's yes permits the asking agent; asked by the control plane in its name. */
    permit: jsonb().$type<Permit>(),
    /** What the control plane itself wants decided; the answer is carried out, not delivered. */
    subject: jsonb().$type<QuestionSubject>(),
    /** Taken as the answer at `defaultAt` when nobody answers; no moment: a person stopped the countdown. */
    defaultAnswer: text(),
    defaultAt: moment(),
    /** When its asker waits no more; null when it waits for ever or not at all. */
    waitUntil: moment(),
    status: text().$type<QuestionStatus>().notNull().default('open'),
    response: text(),
    answeredByUserId: uuid(),
    answeredBy: text(),
    answeredAt: moment(),
    askedAt: bornAt(),
    /** The asker has read the answer as its tool's result; otherwise it goes to it as a message. */
    takenAt: moment(),
    /** Until when a request holds for it; renewed by each poll. */
    heldUntil: moment(),
  },
  (t) => [
    unique('questions_owner_id').on(t.ownerId, t.id),
    taskKey(t),
    directiveKey(t),
    foreignKey({
      columns: [t.ownerId, t.confirmationId],
      foreignColumns: [confirmations.ownerId, confirmations.id],
    }),
    check('questions_status', sql`${t.status} in ('open', 'answered', 'cancelled')`),
    check(
      'questions_default',
      sql`${t.defaultAnswer} is null and ${t.defaultAt} is null or ${t.defaultAnswer} is not null and ${t.questionType} = 'general' and not ${t.phaseguard}`,
    ),
    check(
      'questions_permit',
      sql`${t.permit} is null or ${t.status} <> 'answered' or ${t.answeredByUserId} is not null`,
    ),
    check('questions_answer', sql`(${t.status} = 'answered') = (${t.response} is not null)`),
    uniqueIndex('questions_ask_key')
      .on(t.taskId, t.askKey)
      .where(sql`${t.askKey} is not null`),
    index('questions_open')
      .on(t.ownerId, t.id)
      .where(sql`${t.status} = 'open'`),
    index('questions_default_due')
      .on(t.defaultAt)
      .where(sql`${t.status} = 'open' and ${t.defaultAt} is not null`),
    index('questions_contract').on(t.contractId, t.id),
    index('questions_untaken')
      .on(t.answeredAt)
      .where(sql`${t.status} = 'answered' and ${t.takenAt} is null`),
  ],
);

/** Append-only; a snapshot, a checkpoint, a fork is a position in it. */
export const conversationMessages = snakeCase.table(
  'conversation_messages',
  {
    taskId: uuid().notNull(),
    seq: integer().notNull(),
    id: uuid()
      .notNull()
      .default(sql`uuidv7()`),
    ownerId: ownerId(),
    attempt: integer().notNull(),
    role: text().notNull(),
    content: text().notNull(),
    toolName: text(),
    toolUseId: text(),
    toolInput: jsonb(),
    isError: boolean().notNull().default(false),
    at: bornAt(),
  },
  (t) => [
    primaryKey({ columns: [t.taskId, t.seq] }),
    taskKey(t),
    check('conversation_messages_role', sql`${t.role} in ('user', 'assistant', 'system', 'tool')`),
  ],
);

/** One row per batch of lines. (task, attempt, fromSeq .. fromSeq+count-1) is gapless. */
export const taskOutputs = snakeCase.table(
  'task_outputs',
  {
    taskId: uuid().notNull(),
    attempt: integer().notNull(),
    fromSeq: integer().notNull(),
    count: integer().notNull(),
    ownerId: ownerId(),
    lines: jsonb().$type<OutputLine[]>().notNull(),
    at: bornAt(),
  },
  (t) => [primaryKey({ columns: [t.taskId, t.attempt, t.fromSeq] }), taskKey(t)],
);

/** The agent's own transcript as its program writes it, to rebuild a conversation on another machine. */
export const transcriptLines = snakeCase.table(
  'transcript_lines',
  {
    taskId: uuid().notNull(),
    seq: integer().notNull(),
    count: integer().notNull(),
    ownerId: ownerId(),
    attempt: integer().notNull(),
    attemptSeq: integer().notNull(),
    lines: text().array().notNull(),
    at: bornAt(),
  },
  (t) => [
    primaryKey({ columns: [t.taskId, t.seq] }),
    unique('transcript_lines_attempt').on(t.taskId, t.attempt, t.attemptSeq),
    taskKey(t),
  ],
);

/** A saved state of a supervisor: a position in its conversation and the facts around it, checksummed. */
export const conversationSnapshots = snakeCase.table(
  'conversation_snapshots',
  {
    id: id(),
    ownerId: ownerId(),
    contractId: uuid(),
    taskId: uuid().notNull(),
    epoch: integer().notNull(),
    snapshotType: text().notNull().default('auto'),
    /** Conversation and transcript positions, inclusive. */
    messageSeq: integer().notNull(),
    messageCount: integer().notNull(),
    schemaVersion: integer().notNull(),
    state: jsonb().$type<Record<string, unknown>>().notNull(),
    sha256: text().notNull(),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    quarantinedReason: text(),
    createdAt: bornAt(),
  },
  (t) => [
    taskKey(t),
    check(
      'conversation_snapshots_type',
      sql`${t.snapshotType} in ('auto', 'manual', 'checkpoint')`,
    ),
    index('conversation_snapshots_task').on(t.taskId, t.id),
  ],
);

export const taskCheckpoints = snakeCase.table(
  'task_checkpoints',
  {
    id: id(),
    ownerId: ownerId(),
    taskId: uuid().notNull(),
    attempt: integer().notNull(),
    checkpointNumber: integer().notNull(),
    operationId: uuid(),
    commitSha: text().notNull(),
    baseSha: text().notNull(),
    branchName: text().notNull(),
    message: text().notNull(),
    filesChanged: integer().notNull(),
    linesAdded: integer().notNull(),
    linesRemoved: integer().notNull(),
    messageSeq: integer().notNull().default(0),
    patchParts: integer().notNull().default(0),
    createdAt: bornAt(),
  },
  (t) => [
    unique('task_checkpoints_number').on(t.taskId, t.checkpointNumber),
    unique('task_checkpoints_operation').on(t.operationId),
    taskKey(t),
  ],
);

/** Parts of a checkpoint's patch against its base, gzipped, to rebuild the directory elsewhere. */
export const checkpointPatches = snakeCase.table(
  'checkpoint_patches',
  {
    operationId: uuid().notNull(),
    part: integer().notNull(),
    ownerId: ownerId(),
    data: bytea().notNull(),
  },
  (t) => [primaryKey({ columns: [t.operationId, t.part] })],
);
