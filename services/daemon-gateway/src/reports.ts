/**
 * Reports of a daemon: applied by the engine, each once and in order, then acked so that the daemon may
 * forget them.
 *
 * Law: the ack comes after the commit. A store that is away is waited for; the daemon's journal holds what
 * was not acked.
 */
import type { ReportsTaken } from '@makima/contracts/socket/frames';
import { applyReports } from '@makima/engine/report/apply';
import { inSpan, startSpan, type SpanSpec } from '@makima/runtime/tracing';
import { racepoint } from '@makima/runtime/racepoint';
import type { Line } from './line.ts';
import { patiently } from './patience.ts';

export type ReportsFrame = ReportsTaken;

/** Never throws: what cannot be applied ends the connection. */
export async function takeReports(line: Line, frame: ReportsFrame): Promise<void> {
  const { journalId, fromSeq, reports } = frame;
  const since = performance.now();
  try {
    await racepoint('gateway.before_apply');
    const { appliedSeq } = await traced(reports, () =>
      patiently(line.patience, () =>
        applyReports(line.engine, line.daemon, {
          sessionEpoch: line.sessionEpoch,
          journalId,
          fromSeq,
          reports,
        }),
      ),
    );
    await racepoint('gateway.after_apply');
    line.metrics.reports.inc(reports.length);
    line.metrics.applySeconds.observe((performance.now() - since) / 1_000);
    line.send({ type: 'ack', journalId, reportSeq: appliedSeq });
  } catch (error) {
    line.fail(error);
  }
}

/**
 * Applied together: within the span of the one trace that they belong to; of several each has a span beside the
 * work, and what follows from a report is of its own.
 */
async function traced<T>(reports: ReportsFrame['reports'], work: () => Promise<T>): Promise<T> {
  const firsts = new Map<string, SpanSpec>();
  for (const report of reports) {
    const parent = 'trace' in report ? report.trace : undefined;
    if (parent !== undefined && !firsts.has(parent))
      firsts.set(parent, { name: `report ${report.kind}`, parent });
  }
  const [only, ...others] = firsts.values();
  if (only === undefined) return work();
  if (others.length === 0) return inSpan(only, work);
  const spans = [only, ...others].map(startSpan);
  try {
    const result = await work();
    for (const span of spans) span.end();
    return result;
  } catch (error) {
    for (const span of spans) span.end(error);
    throw error;
  }
}
