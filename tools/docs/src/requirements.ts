/**
 * What tests the phases of moving, finishing and watching contracts were asked to have, each with the tests that
 * hold it: file and title.
 *
 * Law: a row names tests that exist; the page is not made otherwise.
 */
import { readSource } from './checkout.ts';

export interface Holder {
  readonly file: string;
  readonly title: string;
}

/** One asked test: its own words, and what holds it. */
export interface Requirement {
  readonly task: string;
  readonly words: string;
  readonly holders: readonly Holder[];
}

const domain = (name: string) => `packages/domain/src/${name}.test.ts`;
const engine = (name: string) => `packages/engine/src/${name}.test.ts`;
const api = (name: string) => `services/api/src/${name}.test.ts`;

type Row = readonly [
  words: string,
  ...holders: readonly (readonly [file: string, title: string])[],
];

const readiness =
  'Accept valid deliverable IDs for each phase, Correct readiness for each phase: %s';
const refusedIds =
  'Reject invalid deliverable IDs: API returns 400, naming the valid ones, and nothing counts';
const concurrent =
  'Concurrent phase changes handled correctly: of a hundred one succeeds, the others are told why';
const toggled =
  'Manual completion check, Toggle auto-complete setting, Disable auto-complete per contract';
const completes =
  'Full contract auto-completes: Terminal phase triggers completion flow, unmerged work is kept and named';

const phases: Readonly<Record<string, readonly Row[]>> = {
  '1.1 Deliverable validation': [
    [
      'Unit test: Reject invalid deliverable IDs',
      [engine('contract/complete-deliverable'), 'must be one that the phase owes'],
      [domain('contract-type'), 'count only in their phase'],
    ],
    ['Unit test: Accept valid deliverable IDs for each phase', [api('app-completion'), readiness]],
    [
      'Integration test: API returns 400 for invalid deliverable',
      [api('app-completion'), refusedIds],
    ],
    [
      'Regression test: Existing valid deliverables still work',
      [
        engine('contract-type/contract-type'),
        'has versions, of which running contracts keep theirs',
      ],
      [api('app-completion'), readiness],
    ],
  ],
  '1.2 Version conflict detection': [
    [
      'Unit test: Detect version mismatch',
      [domain('phase-change'), 'answers a stale version before anything else'],
    ],
    [
      'Unit test: Proper locking with `FOR UPDATE`',
      [
        engine('contract/change-phase'),
        'decides by the row that it holds: it waits for who holds it, and sees what that one did',
      ],
      [engine('contract/change-phase'), 'has one winner among twenty, and tells the others why'],
    ],
    [
      'Integration test: Concurrent phase changes handled correctly',
      [api('app-lifecycle'), concurrent],
    ],
    ['Integration test: API returns 409 Conflict with details', [api('app-lifecycle'), concurrent]],
  ],
  '1.3 Phase guard enforcement': [
    [
      'Unit test: Supervisor blocked by phase_guard',
      [domain('phase-change'), 'does not take the word of anyone but a person'],
      [engine('contract/change-phase'), 'is not passed by an agent, however it asks'],
    ],
    [
      'Unit test: Supervisor proceeds with confirmation',
      [
        domain('phase-change'),
        "opens for a person's confirmation of this very state, whoever carries it",
      ],
    ],
    [
      'Integration test: API enforces regardless of caller',
      [api('app-guard'), 'Phase guard, API enforces regardless of caller'],
      [engine('contract/change-phase'), 'holds against plain SQL, with and without a forged yes'],
    ],
  ],
  '1.4 Contract status tracking': [
    [
      'Unit test: Valid state transitions allowed',
      [domain('contract'), 'decides every pair when no guard stands in the way'],
      [api('app-lifecycle'), 'Valid state transitions allowed'],
    ],
    [
      'Unit test: Invalid state transitions rejected',
      [domain('contract'), 'is the one of the surface page'],
      [api('app-lifecycle'), 'Invalid state transitions rejected'],
    ],
    [
      'Integration test: Status change triggers event recording',
      [api('app-lifecycle'), '%s to %s: Status change triggers event recording'],
    ],
    [
      'Migration test: Backfill runs correctly',
      ['packages/db/src/migrate.test.ts', 'Backfill runs correctly: what was there is counted'],
      [
        'packages/db/src/migrate.test.ts',
        'Backfill runs correctly: a type that came from a file is known by it, a person’s is not',
      ],
    ],
    [
      'Backwards compatibility: Old API responses still work',
      [
        api('app-old-answers'),
        'Old API responses still work: tasks, waits, checkpoints, questions, and a supervisor that comes back',
      ],
      [api('app-old-answers'), 'Old statuses continue to work: active, and archived in the end'],
      [api('app-old-answers'), 'are described so: each old field is always there, in its type'],
      [engine('features'), 'off, only active, completed and archived are where a contract rests'],
    ],
  ],
  '1.5 Activity timestamps': [
    [
      'Unit test: Activity updated on each operation',
      [
        api('app-completion'),
        'Activity updated on each operation: phase change, deliverable, task spawned and completed, message, heartbeat',
      ],
    ],
    [
      'Integration test: Query stale contracts by threshold',
      [api('app-completion'), 'Query stale contracts by threshold'],
    ],
  ],
  '2.1 Phase completion gates': [
    [
      'Unit test: Gate with all deliverables required',
      [domain('gate'), 'are missing until complete, all of them named'],
      [domain('gate'), 'let the phase go when complete'],
    ],
    [
      'Unit test: Gate with task requirements',
      [engine('contract-type/contract-type'), 'Gate with task requirements'],
      [
        domain('gate'),
        'must all be complete: a failed one is made good under its name, a cancelled one is let go',
      ],
      [domain('gate'), 'must be so many'],
      [domain('gate'), 'must be the named ones'],
    ],
    [
      'Unit test: Mixed deliverable and task requirements',
      [
        engine('contract-type/contract-type'),
        'Mixed deliverable and task requirements: both must be met',
      ],
    ],
    ['Integration test: API endpoint returns readiness status', [api('app-completion'), readiness]],
  ],
  '2.2 Phase readiness API': [
    ['Integration test: Correct readiness for each phase', [api('app-completion'), readiness]],
    [
      'Integration test: Response includes all missing items',
      [api('app-completion'), readiness],
      [
        engine('contract-type/contract-type'),
        'Mixed deliverable and task requirements: both must be met',
      ],
    ],
  ],
  '2.3 Auto-advance': [
    [
      'Unit test: Auto-advance triggers on gate satisfaction',
      [api('app-completion'), 'Auto-advance triggers on gate satisfaction, once'],
    ],
    [
      'Unit test: Phase guard blocks auto-advance',
      [api('app-completion'), 'Phase guard blocks auto-advance: the contract waits for a person'],
    ],
    ['Unit test: Terminal phase triggers completion flow', [api('app-completion'), completes]],
    ['Integration test: Full contract auto-completes', [api('app-completion'), completes]],
    ['Integration test: Disable auto-complete per contract', [api('app-completion'), toggled]],
  ],
  '2.4 Contract completion API': [
    ['Integration test: Manual completion check', [api('app-completion'), toggled]],
    ['Integration test: Toggle auto-complete setting', [api('app-completion'), toggled]],
  ],
  '5.1 Monitor events': [
    [
      'Unit test: Event serialization',
      [api('monitor/monitor'), 'is told what happens, in the words of the seed'],
    ],
    [
      'Integration test: WebSocket connection',
      [api('monitor/monitor'), 'is judged as a request is'],
      [api('monitor/ticket'), 'opens a monitor of the one who asked for it, and is not told back'],
    ],
    [
      'Integration test: Filter by contract ID',
      [
        api('monitor/monitor'),
        'is told of its contracts and statuses only, and may wish otherwise',
      ],
    ],
    [
      'Integration test: Filter by status',
      [
        api('monitor/monitor'),
        'is told of its contracts and statuses only, and may wish otherwise',
      ],
    ],
    [
      'Load test: Many concurrent connections',
      [
        api('monitor/monitor'),
        'Many concurrent connections: a hundred monitors are told each event once, in order',
      ],
    ],
  ],
  '5.2 Stale contract detection': [
    [
      'Unit test: Stale detection logic',
      [domain('stale'), 'is stale after the threshold without progress'],
      [domain('stale'), 'is never stale while it waits, rests or is limited'],
    ],
    [
      'Integration test: Events emitted for stale contracts',
      [
        engine('contract/stale'),
        'is one incident, told once, and closed once when something moves',
      ],
    ],
    [
      'Integration test: Configurable threshold',
      [engine('contract/stale'), 'Configurable threshold: a second more or less decides'],
      [
        engine('features'),
        'every setting of the seed is one, from the environment and from the file',
      ],
    ],
  ],
  '5.3 Batch operations': [
    [
      'Integration test for each operation',
      [
        engine('contract/batch'),
        'archives what ended longer ago than the threshold, and only that',
      ],
      [
        engine('contract/batch'),
        'pause_all and resume_all: everything stops, and goes on where it was',
      ],
      [
        engine('contract/batch'),
        'cleanup_archived: partial failure is told for the one that fails, and stops no other',
      ],
      [
        engine('contract/batch'),
        'clean_worktrees: what a machine did not clean is asked of it once more',
      ],
      [engine('contract/batch'), 'restarts supervisors without progress, with their session'],
    ],
    [
      'Integration test: Partial failure handling',
      [
        engine('contract/batch'),
        'cleanup_archived: partial failure is told for the one that fails, and stops no other',
      ],
    ],
    [
      'Authorization test: Only admins can batch',
      [engine('contract/batch'), 'Only admins can batch: a member and a foreigner touch nothing'],
    ],
  ],
  '5.4 Dashboard': [
    [
      'Integration test: Correct counts',
      [
        engine('contract/dashboard'),
        'counts by status and phase, before and after counts are added up',
      ],
    ],
    [
      'Integration test: Stale contracts listed',
      [
        engine('contract/dashboard'),
        'names what waits, what is stale, what happened last and what is in use',
      ],
    ],
    [
      'Integration test: Waiting contracts listed',
      [
        engine('contract/dashboard'),
        'names what waits, what is stale, what happened last and what is in use',
      ],
    ],
    [
      'Performance test: Dashboard response time',
      [
        engine('contract/dashboard'),
        'Dashboard response time: it reads no table of history from end to end',
      ],
    ],
  ],
};

export const requirements: readonly Requirement[] = Object.entries(phases).flatMap(([task, rows]) =>
  rows.map(([words, ...holders]) => ({
    task,
    words,
    holders: holders.map(([file, title]) => ({ file, title })),
  })),
);

/** What a row names and no test is called. */
export function missingHolders(rows: readonly Requirement[]): Holder[] {
  const titles = new Map<string, ReadonlySet<string>>();
  return rows
    .flatMap(({ holders }) => holders)
    .filter(({ file, title }) => {
      const known = titles.get(file) ?? titlesOf(readSource(file));
      titles.set(file, known);
      return !known.has(title);
    });
}

const titled =
  /\b(?:it|describe)(?:\.each\([\s\S]{0,400}?\))?\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`([^`]*)`)/g;

/** The titles of the tests and groups in a file's text. */
export function titlesOf(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(titled)].map(([, single, double, back]) =>
      (single ?? double ?? back ?? '').replaceAll(/\\(.)/g, '$1'),
    ),
  );
}
