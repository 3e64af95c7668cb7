// What a chaos run was asked to do.
import { parseArgs } from 'node:util';
import { randomInt } from 'node:crypto';
import { faultKinds, type FaultKind } from './nemesis.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** New contracts are started for so long; what runs is seen to its end after it. */
  readonly seconds: number;
  readonly faults: readonly FaultKind[];
  /** Contracts at once. */
  readonly contracts: number;
  readonly json: boolean;
}

export const usage = `Usage: makima chaos [--seed N] [--seconds S | --minutes M] [--only api,daemon,agent,...] [--contracts N] [--json]

Runs real contracts while every process is killed at random moments, then checks rows, events, git
and the agents' own ledger. Faults: ${faultKinds.join(' ')}.
Exit code 1 when anything was lost, doubled or broken.`;

export function readChaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      minutes: { type: 'string' },
      only: { type: 'string' },
      contracts: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  });
  const faults = values.only === undefined ? faultKinds : values.only.split(',');
  const unknown = faults.filter((fault) => !faultKinds.includes(fault as FaultKind));
  if (unknown.length > 0)
    throw new TypeError(
      `unknown faults: ${unknown.join(', ')}; there are ${faultKinds.join(', ')}`,
    );
  return {
    seed: values.seed === undefined ? randomInt(2 ** 31) : number(values.seed, 'seed'),
    seconds:
      values.minutes === undefined
        ? number(values.seconds ?? '60', 'seconds')
        : 60 * number(values.minutes, 'minutes'),
    faults: faults as FaultKind[],
    contracts: number(values.contracts, 'contracts'),
    json: values.json,
  };
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new TypeError(`--${name} takes a number, not ${text}`);
}
