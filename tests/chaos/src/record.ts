// Keeps the figures of a run, and writes them into the reference.
// Law: a figure stands with its seed, machine and date; the newest of each scenario and load replaces the one before.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { checkout } from '@makima/stack/checkout';
import { parseFigures, type Figure } from './figures.ts';
import type { ChaosOptions } from './options.ts';
import { rows } from './rows/catalogue.ts';
import type { MixResult } from './run.ts';
import { summaryOf } from './summary.ts';

const file = join(import.meta.dirname, '..', 'figures.json');

export function record(options: ChaosOptions, results: ReadonlyMap<string, MixResult>): void {
  const fresh = [...results].map(([name, result]): Figure => {
    const kinds = options.only === null ? '' : ` (${options.only})`;
    return {
      scenario: name === 'mix' ? `mix${kinds}` : name,
      date: new Date().toISOString().slice(0, 10),
      machine: machineInWords(),
      load: loadInWords(name, options),
      ...summaryOf(options, [result]),
    };
  });
  const isReplaced = (old: Figure): boolean =>
    fresh.some(({ scenario, load }) => scenario === old.scenario && load === old.load);
  const kept = parseFigures(readFileSync(file, 'utf8')).filter((old) => !isReplaced(old));
  const all = [...kept, ...fresh].toSorted((a, b) =>
    `${a.scenario} ${a.load}`.localeCompare(`${b.scenario} ${b.load}`),
  );
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  execFileSync(process.execPath, [join(checkout, 'tools', 'docs', 'src', 'main.ts')], {
    stdio: 'inherit',
  });
}

/** A row brings its own house. */
function loadInWords(name: string, options: ChaosOptions): string {
  const row = rows[name];
  const contracts = row?.contracts ?? options.contracts;
  const daemons = row?.house?.machines ?? (row === undefined ? options.daemons : 1);
  return `${contracts} contracts at once, ${daemons} daemons`;
}

function machineInWords(): string {
  const gib = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${gib} GiB`;
}
