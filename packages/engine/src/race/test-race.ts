/**
 * Two verbs at once, in many orders of their statements: drawn by chance, remembered by seed.
 *
 * Law: whatever the order, each verb ends or says why not, and what must hold in the rows holds.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Report } from '@makima/contracts/socket/reports';
import { isMakimaError } from '@makima/domain/error';
import type { Acted, Engine } from '../context.ts';
import { changeStatus } from '../contract/change-status.ts';
import { applyReports } from '../report/apply.ts';
import type { TestDaemon } from '../test-daemon.ts';
import { by, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { gated } from './test-gates.ts';
import { keptSeeds, type Race } from './test-seeds.ts';

type Runner = (engine: Engine) => Promise<unknown>;

export interface Racing<Scene> {
  readonly name: Race;
  readonly scene: () => Promise<Scene>;
  readonly runners: (scene: Scene) => Readonly<Record<string, Runner>>;
  /** What the verbs answered, or the code with which they refused. */
  readonly afterwards: (scene: Scene, answers: Readonly<Record<string, unknown>>) => Promise<void>;
}

const defaultRuns = 6;

/** Runs of each race: `MAKIMA_RACE_RUNS`, few when it is not set. */
const runs = Number(process.env['MAKIMA_RACE_RUNS'] ?? defaultRuns);

export async function race<Scene>(t: TestEngine, racing: Racing<Scene>): Promise<void> {
  const property = fc.asyncProperty(fc.scheduler(), async (turns) => {
    const scene = await racing.scene();
    const answers: Record<string, unknown> = {};
    const gate = (label: string): Promise<unknown> => turns.schedule(Promise.resolve(), label);
    const running = Object.entries(racing.runners(scene)).map(async ([name, run]) => {
      answers[name] = await answerOf(run(gated(t.engine, name, gate)));
    });
    await turns.waitFor(Promise.all(running));
    await racing.afterwards(scene, answers);
    expect(await brokenInvariants(t)).toEqual({});
  });
  for (const seed of keptSeeds[racing.name]) await fc.assert(property, { seed, numRuns: runs });
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
}

/** As the daemon's own send, over a given engine. */
export function sendOn(engine: Engine, daemon: TestDaemon, ...reports: Report[]): Promise<unknown> {
  const fromSeq = daemon.seq + 1;
  daemon.seq += reports.length;
  const { sessionEpoch, journalId, principal } = daemon;
  return applyReports(engine, principal, { sessionEpoch, journalId, fromSeq, reports });
}

export const resultOf = async <T>(acted: Promise<Acted<T>>): Promise<T> => (await acted).result;

/** The owner's word over a contract. */
export const statusTo =
  (t: TestEngine, id: string, targetStatus: 'paused' | 'failed'): Runner =>
  (engine) =>
    resultOf(changeStatus(engine, by(t.owner), { id, targetStatus }));

/** How often it was told of a contract or a task. */
export async function eventsOf(
  t: TestEngine,
  type: string,
  of: { readonly contractId: string } | { readonly taskId: string },
): Promise<number> {
  const { sql } = t.database;
  const whose = 'taskId' in of ? sql`task_id = ${of.taskId}` : sql`contract_id = ${of.contractId}`;
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from events where type = ${type} and ${whose}`;
  return row?.n ?? 0;
}

/** A refusal of ours is an answer; anything else is a fault. */
async function answerOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (isMakimaError(error)) return error.code;
    throw error;
  }
}
