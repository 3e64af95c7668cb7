// Everything that can be asked past the system, of a house that has come to rest.
// Law: each part is asked until somebody answers, or says that nobody did.
import { daemonHomesOf, livingHomesOf } from '../house/homes.ts';
import type { House } from '../house/house.ts';
import { checkEverything } from '../checker.ts';
import { readLedger } from '../ledger.ts';
import { endOf, outcomeOf, whyNot } from '../load/contracts.ts';
import type { Operations } from '../load/operations.ts';
import { inTime, pause } from '../pause.ts';
import { piecesPerContract, type Started } from '../scenario.ts';
import { ask } from './ask.ts';
import { branchFiles, piecesAmong } from './branch.ts';
import { checkGit } from './git.ts';
import { checkJournals } from './journals.ts';
import type { Verdict } from './verdict.ts';

const mostlyCompleted = 0.8;
/** Git looks into every store of every machine. */
const gitWithinMs = 600_000;

export async function checkAtRest(
  house: House,
  operations: Operations,
  into: Verdict,
): Promise<void> {
  const homes = daemonHomesOf(house);
  await ask(house, 'rows', into, async (part) => {
    const lines = readLedger(house.ledger.path);
    const found = await checkEverything(house.stack.addresses.databaseUrl, lines);
    part.lost.push(...found.lost);
    part.doubled.push(...found.doubled);
    part.broken.push(...found.broken);
  });
  await ask(house, 'journals', into, (part) =>
    checkJournals(house.sql, livingHomesOf(house), part),
  );
  await ask(house, 'git', into, (part) => checkGit(house.sql, homes, part), gitWithinMs);
  await ask(house, 'promises', into, async (part) => {
    part.lost.push(...(await operations.broken(house.sql)));
  });
}

/** Every contract came to what its twin came to, which no fault ever met. Answers how many completed. */
export async function compareWithTwin(
  house: House,
  twin: Started,
  contracts: readonly Started[],
  into: Verdict,
): Promise<number> {
  let completed = 0;
  const withinMs = 60_000 + 1_000 * contracts.length;
  const compare = async (part: Verdict): Promise<void> => {
    completed = 0;
    const expected = await outcomeOf(house, twin);
    for (const started of contracts)
      if (await isComplete(house, started, expected, part)) completed += 1;
    // A run in which everything was stopped for a person to look would pass trivially.
    if (completed < mostlyCompleted * contracts.length || contracts.length === 0)
      part.broken.push(`only ${completed} of ${contracts.length} contracts completed`);
  };
  await ask(house, 'contracts', into, compare, withinMs);
  return completed;
}

async function isComplete(
  house: House,
  started: Started,
  expected: string,
  part: Verdict,
): Promise<boolean> {
  const outcome = await outcomeOf(house, started);
  if (outcome !== expected) {
    const why = await whyNot(house, started).catch(String);
    part.broken.push(
      `${started.slug} is not as its twin:\n    ${outcome}\n    ${expected}\n    ${why}`,
    );
  }
  if ((await endOf(house, started, 0)) !== 'completed') return false;
  const pieces = piecesAmong(await branchFiles(house, started));
  if (pieces !== piecesPerContract)
    part.lost.push(`${started.slug}: ${pieces} of ${piecesPerContract} pieces are on its branch`);
  return true;
}

/** Mail that is due is in the queue. */
export async function outboxDrained(house: House): Promise<void> {
  const limit = performance.now() + 30_000;
  while (performance.now() < limit) {
    const rows = await inTime(
      house.sql`select 1 from outbox where published_at is null and not_before < clock() limit 1`.catch(
        () => undefined,
      ),
    );
    if (rows?.length === 0) return;
    await pause(200);
  }
}

export async function countRestorations(house: House, into: Verdict): Promise<number> {
  let count = 0;
  await ask(house, 'restorations', into, async () => {
    const [row] = await house.sql<{ sum: number }[]>`select count(*)::int as sum from restorations`;
    count = row?.sum ?? 0;
  });
  return count;
}
