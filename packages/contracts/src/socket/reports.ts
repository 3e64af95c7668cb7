/**
 * What a daemon tells the control plane: journalled on its disk with a gapless number before it is sent,
 * sent until acked, applied once and in order. Grammar of kinds: `noun.verbed`.
 *
 * Law: every report about an agent carries (task, attempt); a report with an old attempt is kept as late
 * evidence and neither blocks nor overwrites.
 */
import { z } from 'zod';
import { zId, zSha, zTime } from '../ids.ts';

const fence = { taskId: zId, attempt: z.int().positive() };
/** W3C `traceparent` of the agent's run. Not sent where nobody traces. */
const trace = { trace: z.string().max(100).optional() };

/** One line of an agent's output, as everybody sees it (seed 002's task output). */
export const zOutputLine = z.strictObject({
  messageType: z.enum([
    'assistant',
    'user',
    'tool_use',
    'tool_result',
    'thinking',
    'system',
    'result',
    'error',
    'log',
    'supervisor_question',
    'dropped',
  ]),
  content: z.string(),
  toolName: z.string().nullable(),
  toolInput: z.unknown().optional(),
  toolUseId: z.string().nullable(),
  isError: z.boolean(),
  costUsd: z.number().nullable(),
  durationMs: z.number().nullable(),
  isPartial: z.boolean(),
  at: zTime,
});
export type OutputLine = z.infer<typeof zOutputLine>;

/** What an attempt has used so far: totals, so that a report that is lost or comes twice changes nothing. */
export const zUsage = z.strictObject({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  /** What the agent says that its whole conversation has cost, over all attempts, in millionths of a dollar. */
  conversationCostMicros: z.int().nonnegative().nullable().default(null),
  /** As the agent calls it; null when it did not say. */
  model: z.string().max(200).nullable().default(null),
  /** Of older daemons; not counted. */
  costUsd: z.number().nullable().optional(),
});
export type Usage = z.infer<typeof zUsage>;

export const zConflict = z.strictObject({
  path: z.string(),
  ours: z.string().nullable(),
  theirs: z.string().nullable(),
  hunks: z.array(z.string()),
});

export const zDiffFile = z.strictObject({
  path: z.string(),
  action: z.enum(['added', 'modified', 'deleted', 'renamed']),
  additions: z.int().nonnegative(),
  deletions: z.int().nonnegative(),
  binary: z.boolean(),
  hunks: z.array(z.strictObject({ header: z.string(), lines: z.array(z.string()) })),
});

/** Why long git work did not succeed: a code, words for people, and what to do about it. */
export const zOperationError = z.strictObject({
  code: z.string(),
  message: z.string(),
  fix: z.string().optional(),
  /** The very same may succeed later. */
  retryable: z.boolean().optional(),
  /** Facts for programs: small, never secret. */
  details: z.record(z.string(), z.unknown()).optional(),
});
export type OperationError = z.infer<typeof zOperationError>;

/** Results of long git work; `kind` equals the command's. */
export const zOperationResult = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('task.checkpoint'),
    commitSha: zSha,
    baseSha: zSha,
    branchName: z.string(),
    filesChanged: z.int().nonnegative(),
    linesAdded: z.int().nonnegative(),
    linesRemoved: z.int().nonnegative(),
    /** Parts of the patch that follow as `patch.stored` reports; 0 when too large to travel. */
    patchParts: z.int().nonnegative(),
  }),
  z.strictObject({
    kind: z.literal('task.diff'),
    diff: z.string(),
    files: z.array(zDiffFile),
    stats: z.strictObject({
      filesChanged: z.int().nonnegative(),
      insertions: z.int().nonnegative(),
      deletions: z.int().nonnegative(),
    }),
    truncated: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('task.pack'),
    commitSha: zSha,
    /** Parts of the pack that came before as `patch.stored`; 0 when every copy has the commit already. */
    packParts: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
  }),
  z.strictObject({
    kind: z.literal('branch.merge'),
    success: z.boolean(),
    message: z.string(),
    commitSha: zSha.nullable(),
    conflicts: z.array(zConflict),
    /**
     * Of a branch of makima's that moved: from where, and which files are different now. `onto`: the head that the
     * command named, which the branch held before.
     */
    moved: z
      .strictObject({
        from: zSha,
        onto: zSha.optional(),
        changed: z.array(z.string()),
        complete: z.boolean(),
      })
      .optional(),
  }),
  z.strictObject({
    kind: z.literal('branch.create'),
    branch: z.string(),
    commitSha: zSha,
    /** False: it stood there already, at this very commit. */
    created: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('pr.open'),
    prUrl: z.string(),
    prNumber: z.int().positive(),
    state: z.enum(['open', 'closed', 'merged']),
    branch: z.string(),
    baseBranch: z.string(),
    commitSha: zSha,
    /** False: the branch had one already. */
    created: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('branch.hand_over'),
    branch: z.string(),
    /** Null: it could not be brought to the repository; `note` says why. */
    commitSha: zSha.nullable(),
    note: z.string(),
  }),
  z.strictObject({
    kind: z.literal('branch.deliver'),
    branch: z.string(),
    commitSha: zSha.nullable(),
    baseMoved: z.boolean(),
    note: z.string(),
  }),
  z.strictObject({
    kind: z.literal('evidence.check'),
    holds: z.boolean(),
    commitSha: zSha.nullable(),
    exitCode: z.int().nullable(),
    output: z.string(),
  }),
  z.strictObject({ kind: z.literal('workdir.clean'), keptRefs: z.array(z.string()) }),
]);
export type OperationResult = z.infer<typeof zOperationResult>;

/** A tool that an agent asks to use, and its input as far as it fits. */
export const zAskedTool = z.strictObject({ name: z.string(), input: z.unknown() });
export type AskedTool = z.infer<typeof zAskedTool>;

export const zReport = z.discriminatedUnion('kind', [
  /** The agent's process runs. */
  z.strictObject({
    kind: z.literal('task.started'),
    ...fence,
    ...trace,
    pid: z.int().positive(),
    sessionId: zId,
    baseSha: zSha.nullable(),
    branch: z.string(),
    worktreePath: z.string(),
    agentVersion: z.string(),
    /** How the conversation began: anew, from this machine's session, or from the transcript sent. */
    resumedFrom: z.enum(['new', 'session', 'transcript']),
  }),
  z.strictObject({
    kind: z.literal('task.outputted'),
    ...fence,
    /** Number of the first line within this attempt, from 1; gapless. */
    fromSeq: z.int().positive(),
    lines: z.array(zOutputLine).min(1),
  }),
  /** Entries of the agent's own transcript, to rebuild its conversation elsewhere. */
  z.strictObject({
    kind: z.literal('transcript.stored'),
    ...fence,
    /** Number of the first line within this attempt, from 1; gapless. */
    fromSeq: z.int().positive(),
    lines: z.array(z.string()).min(1),
    /** The conversation begins anew with these lines: what was stored before them, of any attempt, is void. */
    replaces: z.boolean().optional(),
  }),
  /** What an attempt has used so far, told in the middle of a turn. */
  z.strictObject({ kind: z.literal('task.used'), ...fence, usage: zUsage }),
  /** A turn is over and the agent waits for a message. */
  z.strictObject({
    kind: z.literal('task.turn_ended'),
    ...fence,
    ...trace,
    outcome: z.enum(['completed', 'interrupted', 'failed']),
    text: z.string(),
    error: z.string().nullable(),
    usage: zUsage.nullable(),
  }),
  /** The attempt is over; no process of it is left. */
  z.strictObject({
    kind: z.literal('task.ended'),
    ...fence,
    ...trace,
    /** Its conversation can be continued nowhere: the next attempt begins a new one. */
    sessionLost: z.boolean().optional(),
    /** Of `start_failed`: what was asked for is not there, so that another try would not help. */
    permanent: z.boolean().optional(),
    outcome: z.enum([
      'done',
      'failed',
      'crashed',
      'start_failed',
      'stopped',
      'fenced',
      'parked',
      'limited',
      'daemon_restarted',
    ]),
    /** Of `limited`: when the house of the model lets the account go on, and which limit it is, as far as it said. */
    limit: z.strictObject({ resetsAt: zTime.nullable(), window: z.string().nullable() }).optional(),

    summary: z.string(),
    error: z.string().nullable(),
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    commitSha: zSha.nullable(),
    keptRef: z.string().nullable(),
    usage: zUsage.nullable(),
  }),
  /**
   * Work of an attempt stands on this ref of the machine's store. Told of whatever stands there and was not told of
   * before, by whichever life of the daemon finds it; changes nothing of the attempt.
   */
  z.strictObject({
    kind: z.literal('task.kept'),
    ...fence,
    ref: z.string().max(300),
    why: z.string().max(64),
  }),
  z.strictObject({
    kind: z.literal('message.received'),
    ...fence,
    messageId: zId,
    state: z.enum(['queued', 'delivered', 'done', 'refused']),
  }),
  /**
   * The agent's own question tool or permission prompt. `requestId` is stable over a resume and names what
   * is asked: another question, or another input of the tool, has another one.
   */
  z.strictObject({
    kind: z.literal('agent.asked'),
    ...fence,
    requestId: z.string(),
    questionType: z.enum(['general', 'permission']),
    question: z.string(),
    context: z.string().nullable(),
    choices: z.array(z.string()),
    multiSelect: z.boolean(),
    /** What a permission is asked for. */
    tool: zAskedTool.nullable().optional(),
  }),
  /** The agent broke off and waits for no answer any more. */
  z.strictObject({ kind: z.literal('agent.withdrew'), ...fence, requestId: z.string() }),
  z.strictObject({
    kind: z.literal('operation.finished'),
    operationId: zId,
    ok: z.boolean(),
    result: zOperationResult.nullable(),
    error: zOperationError.nullable(),
  }),
  /**
   * A part of what an operation made that is too large for its result, in base64; parts count from 0. Of a
   * checkpoint: its patch as gzip. Of `task.pack` and `branch.merge`: a git pack. Part 0 begins anew.
   */
  z.strictObject({
    kind: z.literal('patch.stored'),
    operationId: zId,
    part: z.int().nonnegative(),
    data: z.string(),
  }),
]);
export type Report = z.infer<typeof zReport>;
export type ReportKind = Report['kind'];
export type ReportOf<K extends ReportKind> = Extract<Report, { kind: K }>;

/** A report that does not fit these schemas: its number stands, its words go to the audit. */
export interface UnreadableReport {
  readonly unreadable: true;
  /** What it called itself. */
  readonly kind: string;
  /** Where it does not fit. */
  readonly where: string;
}

/** One report as it came. Never throws. */
export function readReport(value: unknown): Report | UnreadableReport {
  const parsed = zReport.safeParse(value);
  if (parsed.success) return parsed.data;
  const kind = (value as { readonly kind?: unknown } | null)?.kind;
  const [issue] = parsed.error.issues;
  return {
    unreadable: true,
    kind: typeof kind === 'string' ? kind.slice(0, 100) : 'none',
    where: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`.slice(0, 300),
  };
}
