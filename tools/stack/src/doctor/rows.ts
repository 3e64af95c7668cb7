// The stored rows of the stack that runs: do they add up.
// Why: what the scheduler's audit found and could not put right is seen where people look first.
// Law: reads only, with a deadline; a stack that does not run is not asked.
import { openDatabase } from '@makima/db/client';
import { openIncidentsOfKind } from '@makima/db/repo/incidents';
import { brokenRows } from '@makima/db/repo/invariants';
import { invariantKinds, invariants, type InvariantKind } from '@makima/domain/invariant';
import { readFileSync } from 'node:fs';
import { runningState } from '../state-file.ts';
import { storeFile } from '../store-secrets.ts';
import { fail, pass, warn, type Check, type CheckResult } from './check.ts';

const name = 'stored rows';
/** What has been wrong for less may be under way. */
const graceMs = 60_000;
const most = 100;

export const checkRows: Check = async ({ home }) => {
  if (!runningState(home)) return pass(name, 'no stack runs here: there is nobody to ask');
  try {
    const url = readFileSync(storeFile(home, 'DATABASE_URL'), 'utf8').trim();
    return await lookAtRows(url);
  } catch (error) {
    return warn(name, `cannot be asked: ${(error as Error).message}`, 'look at: makima status');
  }
};

/** One line for each kind that is broken, or one that says that none is. */
export const lookAtRows = async (url: string): Promise<CheckResult | CheckResult[]> => {
  const database = openDatabase(url, { max: 1, name: 'makima-doctor' });
  try {
    const found: CheckResult[] = [];
    for (const kind of invariantKinds) {
      const rows = await brokenRows(database.sql, kind, { graceMs, limit: most });
      const told = await openIncidentsOfKind(database.sql, { kind, limit: most });
      const subjects = new Set([...rows, ...told].map(({ subject }) => subject));
      if (subjects.size > 0) found.push(lineOf(kind, [...subjects]));
    }
    const many = `${invariantKinds.length} invariants hold`;
    return found.length === 0 ? pass(name, many) : found;
  } finally {
    await database.close();
  }
};

const lineOf = (kind: InvariantKind, subjects: readonly string[]): CheckResult => {
  const { says, heals } = invariants[kind];
  const some = subjects.slice(0, 3).join(', ');
  const rest = subjects.length > 3 ? ` and ${subjects.length - 3} more` : '';
  const detail = `${kind}: ${says} (${some}${rest})`;
  return heals
    ? warn(
        name,
        detail,
        'nothing has to be done: the scheduler puts it right; if it stays, see makima logs scheduler',
      )
    : fail(
        name,
        detail,
        'keep the data as it is, and report it with the output of makima logs scheduler',
      );
};
