/**
 * Reports of a daemon's journal: each applied once and in order. The journal's row holds up to where; a
 * frame that repeats known reports is answered with the same ack, one that leaves a gap is refused.
 *
 * Law: a frame is one transaction. If it fails for its content, its reports are applied one by one, and
 * the one that cannot be applied is set aside in the audit: it can neither block nor be lost in silence.
 * What may succeed later is never set aside.
 */
import { traceId } from '@makima/contracts/trace';
import type { Report, UnreadableReport } from '@makima/contracts/socket/reports';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { judgeFrame, type FrameVerdict } from '@makima/domain/sequence';
import { advanceJournal, sessionEpochOf, lockJournal } from '@makima/db/repo/daemons';
import { act, type Act, type Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { lockFrame } from './lock-frame.ts';
import { applyReport } from './dispatch.ts';

export interface ReportFrame {
  readonly sessionEpoch: number;
  readonly journalId: string;
  readonly fromSeq: number;
  readonly reports: readonly (Report | UnreadableReport)[];
}

/** @returns up to where the journal is applied. @throws FENCED for an old connection, VALIDATION_FAILED for a gap. */
export async function applyReports(
  engine: Engine,
  caller: DaemonPrincipal,
  frame: ReportFrame,
): Promise<{ appliedSeq: number }> {
  try {
    return await applyFrame(engine, caller, frame);
  } catch (error) {
    if (isFence(error) || frame.reports.length === 0) throw error;
    return applySingly(engine, caller, frame, error);
  }
}

async function applyFrame(
  engine: Engine,
  caller: DaemonPrincipal,
  frame: ReportFrame,
): Promise<{ appliedSeq: number }> {
  const { result } = await act(engine, { caller }, async (a) => {
    const { appliedSeq, verdict } = await frameVerdict(a, caller, frame);
    if (verdict.kind === 'known') return { appliedSeq };
    await lockFrame(
      a,
      frame.reports.filter((report): report is Report => !isUnreadable(report)),
    );
    const { skip, endSeq } = verdict;
    for (const [i, report] of frame.reports.entries()) {
      if (i < skip) continue;
      const seq = frame.fromSeq + i;
      if (isUnreadable(report)) noteSetAside(a, caller, { ...frame, seq }, report, report.where);
      else await applyReport(inOwnTrace(a, frame, report), caller, report);
    }
    await advanceJournal(a.tx, { journalId: frame.journalId, from: appliedSeq, to: endSeq });
    return { appliedSeq: endSeq };
  });
  return result;
}

/** A frame mixes tasks as they come: what follows from a report belongs to no other's trace. */
function inOwnTrace(a: Act, { reports }: ReportFrame, report: Report): Act {
  if (reports.length === 1) return a;
  const own = 'trace' in report ? report.trace : undefined;
  if (own !== undefined && a.traceparent !== undefined && traceId(own) === traceId(a.traceparent))
    return a;
  return a.inTrace(own);
}

interface FrameAt {
  readonly appliedSeq: number;
  readonly verdict: Extract<FrameVerdict, { kind: 'known' | 'fresh' }>;
}

async function frameVerdict(a: Act, caller: DaemonPrincipal, frame: ReportFrame): Promise<FrameAt> {
  const appliedSeq = await lockJournal(a.tx, {
    ownerId: a.ownerId,
    daemonId: caller.daemonId,
    journalId: frame.journalId,
  });
  if (appliedSeq === undefined)
    throw new MakimaError('FENCED', 'this journal belongs to another daemon');
  // After the journal's lock, which a newer connection takes too: it is seen here, or waits for us.
  const sessionEpoch = await sessionEpochOf(a.tx, { id: caller.daemonId });
  const { fromSeq, reports } = frame;
  const verdict = judgeFrame(
    { appliedSeq, sessionEpoch },
    { sessionEpoch: frame.sessionEpoch, fromSeq, count: reports.length },
  );
  if (verdict.kind === 'old_session')
    throw new MakimaError('FENCED', 'a newer connection of this daemon exists');
  if (verdict.kind === 'gap') {
    throw new MakimaError('FENCED', `reports ${verdict.fromSeq} to ${verdict.toSeq} are missing`, {
      details: { appliedSeq },
    });
  }
  return { appliedSeq, verdict };
}

async function applySingly(
  engine: Engine,
  caller: DaemonPrincipal,
  frame: ReportFrame,
  first: unknown,
): Promise<{ appliedSeq: number }> {
  if (mayPass(first)) throw first;
  let appliedSeq = frame.fromSeq - 1;
  for (const [i, report] of frame.reports.entries()) {
    const one = { ...frame, fromSeq: frame.fromSeq + i, reports: [report] };
    try {
      ({ appliedSeq } = await applyFrame(engine, caller, one));
    } catch (error) {
      if (isFence(error) || mayPass(error)) throw error;
      ({ appliedSeq } = await setAside(engine, caller, one, report, error));
    }
  }
  return { appliedSeq };
}

async function setAside(
  engine: Engine,
  caller: DaemonPrincipal,
  frame: ReportFrame,
  report: Report | UnreadableReport,
  error: unknown,
): Promise<{ appliedSeq: number }> {
  const { result } = await act(engine, { caller }, async (a) => {
    const { appliedSeq, verdict } = await frameVerdict(a, caller, frame);
    if (verdict.kind === 'known') return { appliedSeq };
    const why = error instanceof Error ? error.message : 'unknown';
    noteSetAside(a, caller, { ...frame, seq: frame.fromSeq }, report, why);
    await advanceJournal(a.tx, {
      journalId: frame.journalId,
      from: appliedSeq,
      to: frame.fromSeq,
    });
    return { appliedSeq: frame.fromSeq };
  });
  return result;
}

function noteSetAside(
  a: Act,
  caller: DaemonPrincipal,
  { journalId, seq }: { journalId: string; seq: number },
  report: Report | UnreadableReport,
  why: string,
): void {
  const { kind } = report;
  const taskId = 'taskId' in report ? report.taskId : null;
  const detail = { journalId, seq, kind, taskId, error: why.slice(0, 500) };
  a.audit('report.set_aside', 'refused', { kind: 'daemon', id: caller.daemonId }, detail);
}

function isUnreadable(report: Report | UnreadableReport): report is UnreadableReport {
  return 'unreadable' in report;
}

function isFence(error: unknown): boolean {
  return isMakimaError(error) && error.code === 'FENCED';
}

/** The trouble is not the report's: the daemon keeps it and sends it again. */
function mayPass(error: unknown): boolean {
  return isMakimaError(error) && error.retryable;
}
