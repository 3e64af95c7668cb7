/** `chaos.md`: what fails in `makima chaos`, which rows there are, and the figures of the runs that were recorded. */
import { faults, standardFaults } from '@makima/test-chaos/faults/catalogue';
import { parseFigures, type Figure } from '@makima/test-chaos/figures';
import { rows } from '@makima/test-chaos/rows/catalogue';
import { readSource } from '../checkout.ts';
import { code, codes, page, table } from '../markdown.ts';

const kept = 'tests/chaos/figures.json';

export function chaosPage(): string {
  const figures = parseFigures(readSource(kept));
  return page(
    'Chaos',
    ['tests/chaos/src', kept],
    [
      'What `./makima chaos` does: real contracts with scripted agents in a makima of its own, a seeded timetable of faults beside them, then rest, then checks past the system: rows, events, git, the journals of daemons, logs, the agents’ own ledger, and every answer that was given to a request. A contract must come to what its twin came to, which no fault ever met. Every kind of fault must show that it bit, and four in five contracts must complete. The same seed has the same timetable; processes and clocks are real, so no two runs are the same.',
      'To add figures here: `./makima chaos --only <what> --record`. A run says how it went with `--json`: the last line is one object with `seed`, `minutes`, `faults`, `bit`, `operations`, `contracts`, `restorations`, `lost`, `doubled`, `broken` and `recoveryMs` (`p50`, `p95`, `max`, `samples` and `alone` per kind).',
      '## Figures',
      figureTable(figures),
      '## Recovery',
      'From the fault to the first thing that the next attempt of an agent does, for faults that end agents; for all others to the first agent of a task that somebody asked for when the fault struck, and in a mix while further faults strike: `alone` are those samples during which no other fault touched what they needed. Milliseconds.',
      recoveryTable(figures),
      '## Kinds of fault',
      `Without \`--only\` a run is made of ${codes(standardFaults)}.`,
      table(
        ['kind', 'what happens'],
        Object.entries(faults).map(([name, { about }]) => [code(name), about]),
      ),
      '## Rows',
      'Each a scenario of its own: `./makima chaos --only T01,T09`. T62 is the mix of all kinds.',
      table(
        ['row', 'what'],
        Object.entries(rows)
          .toSorted(([a], [b]) => a.localeCompare(b))
          .map(([name, { about }]) => [code(name), about]),
      ),
    ],
  );
}

function figureTable(figures: readonly Figure[]): string {
  if (figures.length === 0) return 'None yet.';
  return table(
    [
      'scenario',
      'date',
      'seed',
      'minutes',
      'load',
      'faults',
      'operations',
      'contracts',
      'restorations',
      'lost',
      'doubled',
      'broken',
      'machine',
    ],
    figures.map((figure) => [
      figure.scenario,
      figure.date,
      figure.seed,
      figure.minutes,
      figure.load,
      Object.values(figure.faults).reduce((all, count) => all + count, 0),
      figure.operations,
      `${figure.contracts.completed} of ${figure.contracts.started}`,
      figure.restorations,
      figure.lost,
      figure.doubled,
      figure.broken,
      figure.machine,
    ]),
  );
}

function recoveryTable(figures: readonly Figure[]): string {
  return table(
    ['scenario', 'kind', 'p50', 'p95', 'max', 'samples', 'alone p50', 'alone p95', 'alone samples'],
    figures.flatMap(({ scenario, load, recoveryMs }) =>
      Object.entries(recoveryMs).map(([kind, { p50, p95, max, samples, alone }]) => [
        `${scenario}, ${load}`,
        kind,
        p50,
        p95,
        max,
        samples,
        alone?.p50 ?? '',
        alone?.p95 ?? '',
        alone?.samples ?? 0,
      ]),
    ),
  );
}
