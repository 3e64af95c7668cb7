// A row as a mix: its own house, faults and pace, the load of all rows.
import type { ChaosOptions } from '../options.ts';
import type { MixOptions } from '../run.ts';
import type { Row } from './row.ts';

const seconds = 45;
const gapMs = 4_000;

export function rowMix(
  row: Row,
  { seed, contracts, keepLogsIn }: Pick<ChaosOptions, 'seed' | 'contracts' | 'keepLogsIn'>,
  say: (line: string) => void,
): MixOptions {
  const gapMaxMs = row.gapMs ?? gapMs;
  return {
    seed,
    seconds: row.seconds ?? seconds,
    faults: row.faults ?? {},
    contracts: row.contracts ?? contracts,
    pace: { gapMinMs: gapMaxMs / 5, gapMaxMs },
    say,
    keepLogsIn,
    ...(row.house && { house: row.house }),
    ...(row.story && { story: row.story }),
    ...(row.watchers && { watchers: row.watchers }),
  };
}
