/** Of two tasks at once each keeps its own trace: when they are placed together, and when they end in one frame. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { assignPending } from './task/assign.ts';
import { spawnTask } from './task/spawn.ts';
import { applyReports } from './report/apply.ts';
import { endedReport } from './test-daemon.ts';
import { by, openTestEngine, type TestEngine } from './test-engine.ts';
import { spawnInput, stage, type Stage } from './test-stage.ts';

let t: TestEngine;
let scene: Stage;
beforeAll(async () => {
  t = await openTestEngine();
  scene = await stage(t);
});
afterAll(() => t.close());

const span = (trace: string, id: string): string => `00-${trace.repeat(32)}-${id.repeat(16)}-01`;
const under = (trace: string) => ({ ...t.engine, traceparent: () => trace });
const spawnedUnder = async (name: string, trace: string): Promise<string> => {
  const input = spawnInput(scene.contract.id, { name });
  return (await spawnTask(under(trace), by(scene.supervisor), input)).result.id;
};

it('a command, and what follows from a report, are of the trace of their own task', async () => {
  const a = await spawnedUnder('a', span('a', '1'));
  const b = await spawnedUnder('b', span('b', '1'));
  const untraced = (await spawnTask(t.engine, by(scene.supervisor), spawnInput(scene.contract.id)))
    .result.id;
  // The ticket of one places all.
  await assignPending(under(span('a', '2')), t.system);
  const starts = await scene.daemon.pullOnly('task.start');
  const traceOf = (id: string) => starts.find(({ taskId }) => taskId === id)?.trace;
  expect([a, b, untraced].map(traceOf)).toEqual([span('a', '2'), span('b', '1'), undefined]);

  const ends = [a, b, untraced].map((taskId) => endedReport({ taskId, attempt: 1 }));
  const traces = [span('a', '3'), span('b', '3')];
  const reports = ends.map((end, i) => ({
    ...end,
    ...(traces[i] === undefined ? {} : { trace: traces[i] }),
  }));
  const { sessionEpoch, journalId, seq, principal } = scene.daemon;
  await t.database.sql`delete from outbox`;
  const frame = { sessionEpoch, journalId, fromSeq: seq + 1, reports };
  await applyReports(under(span('a', '4')), principal, frame);
  const mailed = await t.database.sql<{ payload: { trace?: string } }[]>`
    select payload from outbox where queue = 'evaluate-contract' order by id`;
  expect(mailed.map(({ payload }) => payload.trace)).toEqual([
    span('a', '4'),
    span('b', '3'),
    undefined,
  ]);
});
