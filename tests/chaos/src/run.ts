// A mix of faults: contracts side by side, the nemesis beside them, then rest, then the checks.
// Law: a seed makes the timetable; whatever is found is said with the seed. A run ends: what it waits for has a limit,
// and where it stood is told.
import { checkAtRest, compareWithTwin, countRestorations, outboxDrained } from './check/at-rest.ts';
import { logReader, type LogReader } from './check/logs.ts';
import { clean, findings, type Verdict } from './check/verdict.ts';
import { bitesOf, type Bites } from './faults/bites.ts';
import type { Fault } from './faults/fault.ts';
import { nemesisOf } from './faults/nemesis.ts';
import { openHouse, type House, type HouseOptions } from './house/house.ts';
import { beginContract, contractsUntil, endOf, type Load } from './load/contracts.ts';
import { operationsLog } from './load/operations.ts';
import { answerUntil } from './load/person.ts';
import { openProber } from './load/probe.ts';
import { loadShape } from './load/shape.ts';
import { recoveriesOf, type Spread } from './measure/recovery.ts';
import { inTime, pause } from './pause.ts';
import type { Row } from './rows/row.ts';
import { paceOf, timetableOf, type Pace } from './schedule.ts';

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

const oracleMs = 2_000;
/** What a run needs after its last fault until everything has ended, in seconds of it. */
const restShare = 0.25;
const restMaxMs = 20_000;
/** For everything after the load, above what the load itself may take. */
const checksMaxMs = 900_000;
const closeMaxMs = 120_000;

/** Where a run stands, for whoever waits for it. */
interface Stage {
  now: string;
}

export async function runMix(options: MixOptions): Promise<MixResult> {
  const began = performance.now();
  const house = await openHouse(options.house ?? {});
  const stage: Stage = { now: 'the house is open' };
  const { endsWithinMs } = loadShape(options.contracts, options.seconds * 1_000);
  const limitMs = options.seconds * 1_000 + endsWithinMs + checksMaxMs;
  let failed = true;
  try {
    const result = await inTime(mixIn(house, options, { began, stage }), limitMs);
    if (result === undefined)
      throw new Error(`the run did not end in ${Math.round(limitMs / 1_000)} s: ${stage.now}`);
    failed = findings(result).length > 0;
    return result;
  } finally {
    if (failed && options.keepLogsIn !== null) house.keepLogs(options.keepLogsIn);
    const closed = await inTime(
      house.close().then(() => true),
      closeMaxMs,
    );
    if (closed === undefined) options.say('the house did not close: something of it may be left');
  }
}

async function mixIn(
  house: House,
  options: MixOptions,
  { began, stage }: { readonly began: number; readonly stage: Stage },
): Promise<MixResult> {
  const at = (now: string): void => {
    stage.now = now;
    options.say(now);
  };
  const operations = operationsLog();
  const load: Load = { house, operations, say: options.say };
  const over = new AbortController();
  const person = answerUntil(over.signal, house, operations);
  const twin = await beginContract(load, 'twin');
  if (twin === null) throw new Error('no twin was made');
  await endOf(house, twin, 240_000);
  const prober = await openProber(house, operations);
  const recoveries = recoveriesOf(house, prober, options.faults);
  const nemesis = nemesisOf({
    house,
    faults: options.faults,
    say: options.say,
    onStruck: (one) => recoveries.watch(one),
  });
  const forMs = faultTimeMs(options.seconds * 1_000 - (performance.now() - began));
  const kinds = Object.keys(options.faults);
  const pace = options.pace ?? paceOf(kinds.length, forMs);
  const mayBeAlone = (kind: string): boolean => options.faults[kind]?.isAloneAtTimes === true;
  const timetable = timetableOf(options.seed, kinds, { untilMs: forMs, pace, mayBeAlone });
  const shape = loadShape(options.contracts, forMs);
  at(`load: ${JSON.stringify(shape)}; faults every ${pace.gapMinMs} to ${pace.gapMaxMs} ms`);
  const stop = AbortSignal.timeout(Math.round(forMs));
  const logs = logReader(house.logsDir);
  const watching = watchUntil(over.signal, house, { look: () => recoveries.look(), logs });
  const calmed = nemesis.keep(timetable, stop).then(async () => {
    await pause(forMs, stop);
    await nemesis.calm();
    options.say('calm: everything is healed');
  });
  const verdict = clean();
  const watched = (options.watchers ?? []).map((watcher) => watcher({ ...load, verdict }));
  const [loaded, ofStory] = await Promise.all([
    contractsUntil(stop, { ...load, stepMs: shape.stepMs }, shape),
    options.story?.({ ...load, verdict }),
    calmed,
  ]);
  const contracts = [...loaded, ...(ofStory ?? [])];
  nemesis.end();
  at('calm: the load has run out');
  house.renewOracle();
  await recoveries.settled(30_000);
  await outboxDrained(house);
  for (const one of watched) await one.atRest();
  over.abort();
  await Promise.all([person, watching]);
  at('at rest: asking rows, journals, git and logs');
  await checkAtRest(house, operations, verdict);
  logs.look();
  verdict.broken.push(...logs.findings);
  at('at rest: asking what bit');
  const planned = new Set<string>(timetable.map(({ kind }) => kind));
  const bites = await bitesOf(nemesis.struck, planned);
  verdict.broken.push(...bites.toothless, ...recoveries.missing());
  at('at rest: comparing with the twin');
  const completed = await compareWithTwin(house, twin, contracts, verdict);
  for (const line of recoveries.slowest()) options.say(`slowest after ${line}`);
  const toolCalls = house.ledger.lines().filter(({ event }) => event === 'tool').length;
  const restorations = await countRestorations(house, verdict);
  return {
    seconds: Math.round((performance.now() - began) / 1_000),
    bites,
    operations: operations.count + toolCalls,
    contracts: { started: contracts.length, completed },
    restorations,
    recoveryMs: recoveries.spreads(),
    ...verdict,
  };
}

function faultTimeMs(leftMs: number): number {
  return Math.max(5_000, leftMs - Math.min(restMaxMs, leftMs * restShare));
}

/**
 * Looks who is back and what the logs say, and that the oracle answers: a connection may die so that a query on
 * it never ends.
 */
async function watchUntil(
  signal: AbortSignal,
  house: House,
  { look, logs }: { readonly look: () => void; readonly logs: LogReader },
): Promise<void> {
  let silent = 0;
  for (let turn = 1; !signal.aborted; turn += 1) {
    look();
    await pause(250, signal);
    if (turn % 8 !== 0) continue;
    logs.look();
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
