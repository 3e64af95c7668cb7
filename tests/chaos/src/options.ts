// What a chaos run was asked to do.
import { parseArgs } from 'node:util';
import { randomInt } from 'node:crypto';
import { faultNames, isFaultName, standardFaults, type FaultName } from './faults/catalogue.ts';
import { agentsPerContract } from './scenario.ts';
import { isRowName, rowNames } from './rows/catalogue.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** The whole of a mix: faults first, then rest until everything has ended. */
  readonly seconds: number;
  /** Kinds of fault of the mix; none when rows alone are wanted. */
  readonly faults: readonly FaultName[];
  /** Rows of the torture table, each a scenario of its own. */
  readonly rows: readonly string[];
  /** Contracts at once. */
  readonly contracts: number;
  readonly daemons: number;
  /** What `--only` said, for the figures. */
  readonly only: string | null;
  readonly json: boolean;
  /** Writes the figures into docs/reference/chaos.md. */
  readonly record: boolean;
  readonly keepLogsIn: string | null;
}

export const usage = `Usage: makima chaos [--seed N] [--seconds S | --minutes M] [--only KIND,T01,...] [--contracts N] [--daemons N] [--json] [--record] [--logs DIR]

Runs real contracts while everything under them fails: processes die, stand still or come to named places in the
code; links are cut, slow, deaf or half open; Redis is emptied or restarted, Postgres restarted or its backends
ended; machines sleep, clocks jump. Then it checks rows, events, git, journals and the agents' own ledger.

  --seed N       the same seed has the same timetable of faults
  --seconds S    of the whole mix, 60 by default
  --only LIST    kinds of fault for the mix, or rows of the torture table, each a scenario of its own
  --contracts N  contracts at once, 2 by default; each is a supervisor and ${agentsPerContract - 1} tasks. With many, agents work
                 longer on each step, so that what is tested is not how fast a machine starts programs
  --daemons N    machines, 1 by default; with more, repositories come from a forge and any machine can have any task
  --json         the last line is one object; a recovery is told of all samples, and of those \`alone\` during which
                 nothing else struck what they needed
  --record       writes the figures to docs/reference/chaos.md
  --logs DIR     keeps the logs of a run that failed

Kinds: ${faultNames.join(' ')}
By default: ${standardFaults.join(' ')}
Rows: ${rowNames.join(' ')} T62 (the mix of all kinds)

Exit code 1 when anything was lost, doubled or broken, when a kind of fault never bit, or when fewer than four
in five contracts completed.

An hour of everything: makima chaos --only T62 --minutes 60 --contracts 50 --daemons 20 --json`;

export function readChaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      minutes: { type: 'string' },
      only: { type: 'string' },
      contracts: { type: 'string', default: '2' },
      daemons: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      logs: { type: 'string' },
    },
  });
  const { faults, rows } = chosen(values.only);
  return {
    seed: values.seed === undefined ? randomInt(2 ** 31) : number(values.seed, 'seed'),
    seconds:
      values.minutes === undefined
        ? number(values.seconds ?? '60', 'seconds')
        : 60 * number(values.minutes, 'minutes'),
    faults,
    rows,
    contracts: number(values.contracts, 'contracts'),
    daemons: Math.max(1, number(values.daemons, 'daemons')),
    only: values.only ?? null,
    json: values.json,
    record: values.record,
    keepLogsIn: values.logs ?? null,
  };
}

/** T62 is the mix of everything. */
function chosen(only: string | undefined): { faults: readonly FaultName[]; rows: string[] } {
  if (only === undefined) return { faults: standardFaults, rows: [] };
  const names = only.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => name !== 'T62' && !isFaultName(name) && !isRowName(name));
  if (unknown.length > 0 || names.length === 0) {
    throw new TypeError(
      `unknown: ${unknown.join(', ')}; kinds are ${faultNames.join(', ')}; rows are ${rowNames.join(', ')}`,
    );
  }
  const rows = names.filter(isRowName);
  const faults = names.includes('T62') ? faultNames : names.filter(isFaultName);
  return { faults, rows };
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0 && text.trim() !== '') return value;
  throw new TypeError(`--${name} takes a number, not ${text}`);
}
