// A mix of faults: contracts side by side, the nemesis beside them, then rest, then the checks.
// Law: a seed makes the timetable; whatever is found is said with the seed.
import { daemonHomesOf } from './house/homes.ts';
import { checkGit } from './check/git.ts';
import { checkJournals } from './check/journals.ts';
import { checkLogs } from './check/logs.ts';
import { added, clean, type Verdict } from './check/verdict.ts';
import { checkEverything } from './checker.ts';
import { bitesOf, type Bites } from './faults/bites.ts';
import type { Fault } from './faults/fault.ts';
import { nemesisOf } from './faults/nemesis.ts';
import { openHouse, type House, type HouseOptions } from './house/house.ts';
import { readLedger } from './ledger.ts';
import {
  beginContract,
  contractsUntil,
  endOf,
  outcomeOf,
  whyNot,
  type Load,
} from './load/contracts.ts';
import { operationsLog } from './load/operations.ts';
import { answerUntil } from './load/person.ts';
import { openProber } from './load/probe.ts';
import { recoveriesOf, type Spread } from './measure/recovery.ts';
import { inTime, pause } from './pause.ts';
import type { Row } from './rows/row.ts';
import { timetableOf, type Pace } from './schedule.ts';
import { deliveredPieces, piecesPerContract, type Started } from './scenario.ts';

export interface MixOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: Readonly<Record<string, Fault>>;
  readonly contracts: number;
  readonly house?: HouseOptions;
  readonly pace?: Pace;
  /** What happens beside the load, once. */
  readonly story?: Row['story'];
  readonly watchers?: Row['watchers'];
  readonly say: (line: string) => void;
  readonly keepLogsIn: string | null;
}

export interface MixResult extends Verdict {
  readonly seconds: number;
  readonly bites: Bites;
  readonly operations: number;
  readonly contracts: { readonly started: number; readonly completed: number };
  readonly restorations: number;
  readonly recoveryMs: Readonly<Record<string, Spread>>;
}

const mostlyCompleted = 0.8;
const oracleMs = 2_000;
/** What a run needs after its last fault until everything has ended, in seconds of it. */
const restShare = 0.25;
const restMaxMs = 20_000;
/** A contract of a calm house takes seconds; this is only how long a sick one is waited for, faults included. */
const endsWithinMs = 240_000;

export async function runMix(options: MixOptions): Promise<MixResult> {
  const began = performance.now();
  const house = await openHouse(options.house ?? {});
  let failed = true;
  try {
    const result = await mixIn(house, options, began);
    failed = result.lost.length + result.doubled.length + result.broken.length > 0;
    return result;
  } finally {
    if (failed && options.keepLogsIn !== null) house.keepLogs(options.keepLogsIn);
    await house.close();
  }
}

async function mixIn(house: House, options: MixOptions, began: number): Promise<MixResult> {
  const operations = operationsLog();
  const load: Load = { house, operations, say: options.say };
  const over = new AbortController();
  const person = answerUntil(over.signal, house, operations);
  const twin = await beginContract(load, 'twin');
  if (twin === null) throw new Error('no twin was made');
  await endOf(house, twin, endsWithinMs);
  const prober = await openProber(house, operations);
  const recoveries = recoveriesOf(house, prober, options.faults);
  const nemesis = nemesisOf({
    house,
    faults: options.faults,
    say: options.say,
    onStruck: (one) => recoveries.watch(one),
  });
  const forMs = faultTimeMs(options.seconds * 1_000 - (performance.now() - began));
  const timetable = timetableOf(options.seed, Object.keys(options.faults), {
    untilMs: forMs,
    ...(options.pace && { pace: options.pace }),
  });
  const stop = AbortSignal.timeout(Math.round(forMs));
  const watching = watchUntil(over.signal, house, () => recoveries.look());
  const calmed = nemesis.keep(timetable, stop).then(async () => {
    await pause(forMs, stop);
    await nemesis.calm();
  });
  const told = clean();
  const watched = (options.watchers ?? []).map((watcher) => watcher({ ...load, verdict: told }));
  const [loaded, ofStory] = await Promise.all([
    contractsUntil(stop, load, { lines: options.contracts, endsWithinMs }),
    options.story?.({ ...load, verdict: told }),
    calmed,
  ]);
  const contracts = [...loaded, ...(ofStory ?? [])];
  nemesis.end();
  options.say('calm: everything is healed');
  house.renewOracle();
  await recoveries.settled(30_000);
  await outboxDrained(house);
  for (const one of watched) await one.atRest();
  over.abort();
  await Promise.all([person, watching]);
  options.say('at rest: asking rows, journals, git and logs');
  const verdict = added(told, await check(house));
  const planned = new Set<string>(timetable.map(({ kind }) => kind));
  const bites = await bitesOf(nemesis.struck, planned);
  verdict.broken.push(...bites.toothless, ...recoveries.missing());
  verdict.lost.push(...(await operations.broken(house.sql)));
  const completed = await compare(house, twin, contracts, verdict);
  const toolCalls = house.ledger.lines().filter(({ event }) => event === 'tool').length;
  return {
    seconds: Math.round((performance.now() - began) / 1_000),
    bites,
    operations: operations.count + toolCalls,
    contracts: { started: contracts.length, completed },
    restorations: await countRestorations(house),
    recoveryMs: recoveries.spreads(),
    ...verdict,
  };
}

function faultTimeMs(leftMs: number): number {
  return Math.max(5_000, leftMs - Math.min(restMaxMs, leftMs * restShare));
}

/** Looks who is back, and that the oracle answers: a connection may die so that a query on it never ends. */
async function watchUntil(signal: AbortSignal, house: House, look: () => void): Promise<void> {
  let silent = 0;
  for (let turn = 1; !signal.aborted; turn += 1) {
    look();
    await pause(250, signal);
    if (turn % 8 !== 0) continue;
    const answer = Promise.resolve(house.sql`select 1`).then(
      () => true,
      () => false,
    );
    silent = (await Promise.race([answer, pause(oracleMs, signal)])) === true ? 0 : silent + 1;
    if (silent < 2 || signal.aborted) continue;
    silent = 0;
    house.renewOracle();
  }
}

/** Everything that can be asked past the system, of a house that has come to rest. */
export async function check(house: House): Promise<Verdict> {
  const lines = readLedger(house.ledger.path);
  const verdict = await checkEverything(house.stack.addresses.databaseUrl, lines);
  const homes = daemonHomesOf(house);
  await checkJournals(house.sql, homes, verdict);
  await checkGit(house.sql, homes, verdict);
  checkLogs(house.logsDir, verdict);
  return verdict;
}

/** Every contract came to what its twin came to, which no fault ever met. */
export async function compare(
  house: House,
  twin: Started,
  contracts: readonly Started[],
  verdict: Verdict,
): Promise<number> {
  const expected = await outcomeOf(house, twin);
  let completed = 0;
  for (const started of contracts) {
    const outcome = await outcomeOf(house, started);
    if (outcome !== expected) {
      const why = await whyNot(house, started).catch(String);
      verdict.broken.push(
        `${started.slug} is not as its twin:\n    ${outcome}\n    ${expected}\n    ${why}`,
      );
    }
    if ((await endOf(house, started, 0)) !== 'completed') continue;
    completed += 1;
    // What came from a forge is delivered nowhere but in the stores; that it was merged, the outcome says.
    if (house.isRemote) continue;
    const pieces = deliveredPieces(started);
    if (pieces !== piecesPerContract)
      verdict.lost.push(`${started.slug}: ${pieces} of ${piecesPerContract} pieces were delivered`);
  }
  // A run in which everything was stopped for a person to look would pass trivially.
  if (completed < mostlyCompleted * contracts.length || contracts.length === 0)
    verdict.broken.push(`only ${completed} of ${contracts.length} contracts completed`);
  return completed;
}

/** Mail that is due is in the queue. */
export async function outboxDrained(house: House): Promise<void> {
  const limit = performance.now() + 30_000;
  while (performance.now() < limit) {
    const rows = await inTime(
      house.sql`select 1 from outbox where published_at is null and not_before < clock() limit 1`,
    );
    if (rows?.length === 0) return;
    await pause(200);
  }
}

async function countRestorations({ sql }: House): Promise<number> {
  const [row] = await sql<{ sum: number }[]>`select count(*)::int as sum from restorations`;
  return row?.sum ?? 0;
}
