/**
 * Output and transcript of an agent: every line that the daemon journalled, once and in order. The part of
 * it that is conversation becomes conversation rows; an old attempt's lines are kept as its output only.
 */
import { channels } from '@makima/contracts/channels';
import type { OutputLine, ReportOf } from '@makima/contracts/socket/reports';
import { advanceOutput } from '@makima/db/repo/attempts';
import { touchContract } from '@makima/db/repo/contracts';
import {
  appendConversation,
  appendTranscript,
  dropTranscript,
  insertOutput,
  newestTranscriptAttempt,
  type NewMessage,
} from '@makima/db/repo/talk';
import { MakimaError } from '@makima/domain/error';
import type { Act } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { mailSaveSoon } from '../save-point.ts';
import { fenceReport } from './fence.ts';

export async function taskOutputted(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'task.outputted'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined) return;
  const lines = report.lines.map(cleanLine);
  const end = report.fromSeq + lines.length - 1;
  if (end <= fenced.attempt.outputSeq) return;
  const next = await advanceOutput(a.tx, {
    taskId: report.taskId,
    attempt: report.attempt,
    fromSeq: report.fromSeq,
    count: lines.length,
  });
  if (!next) {
    throw new MakimaError(
      'CONFLICT',
      `output of attempt ${report.attempt} has a gap before line ${report.fromSeq}`,
      {
        details: { outputSeq: fenced.attempt.outputSeq, fromSeq: report.fromSeq },
      },
    );
  }
  await insertOutput(a.tx, {
    ownerId: a.ownerId,
    taskId: report.taskId,
    attempt: report.attempt,
    fromSeq: report.fromSeq,
    lines,
  });
  const talk = fenced.task.currentAttempt === report.attempt ? lines.flatMap(conversationOf) : [];
  if (talk.length > 0) {
    await appendConversation(a.tx, {
      ownerId: a.ownerId,
      taskId: report.taskId,
      attempt: report.attempt,
      messages: talk,
    });
    if (fenced.task.isSupervisor && talk.some(({ role }) => role === 'assistant'))
      mailSaveSoon(a, fenced.task);
  }
  if (fenced.task.contractId !== null)
    await touchContract(a.tx, { contractId: fenced.task.contractId, progress: 'yes' });
  a.hint(channels.taskOutput(report.taskId));
}

/** Kept only of the newest attempt that wrote one: two machines never interleave one conversation. */
export async function transcriptStored(
  a: Act,
  daemon: DaemonPrincipal,
  report: ReportOf<'transcript.stored'>,
): Promise<void> {
  const fenced = await fenceReport(a, daemon, report);
  if (fenced === undefined) return;
  const newest = await newestTranscriptAttempt(a.tx, { taskId: report.taskId });
  if (report.attempt < newest) return;
  if (report.replaces === true) await dropTranscript(a.tx, { taskId: report.taskId });
  await appendTranscript(a.tx, {
    ownerId: a.ownerId,
    taskId: report.taskId,
    attempt: report.attempt,
    attemptSeq: report.fromSeq,
    lines: report.lines.map(cleanText),
  });
}

const roles: Partial<Record<OutputLine['messageType'], NewMessage['role']>> = {
  assistant: 'assistant',
  user: 'user',
  tool_use: 'assistant',
  tool_result: 'tool',
  system: 'system',
};

function conversationOf(line: OutputLine): NewMessage[] {
  const role = roles[line.messageType];
  if (role === undefined || line.isPartial) return [];
  return [
    {
      role,
      content: line.content,
      toolName: line.toolName,
      toolUseId: line.toolUseId,
      toolInput: line.toolInput,
      isError: line.isError,
      at: line.at,
    },
  ];
}

/** Postgres stores neither NUL nor half a surrogate pair; agents print both. */
function cleanLine(line: OutputLine): OutputLine {
  return { ...line, content: cleanText(line.content), toolInput: cleanJson(line.toolInput) };
}

function cleanText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

function cleanJson(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleanJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [cleanText(key), cleanJson(inner)]),
  );
}
