/** What stands still: each reason once, only those that a person can end, in the words of `why`. */
import { describe, expect, it } from 'vitest';
import type { UnplacedReason } from './placement.ts';
import { type OwedEnd, type UnplacedTask, standstills } from './standstill.ts';
import { ago, soon } from './test-why.ts';

const task: UnplacedTask = {
  id: 't1',
  name: 'build',
  contractId: 'c1',
  isSupervisor: false,
  reason: { kind: 'no_daemon' },
  since: ago(1000),
};
const end: OwedEnd = {
  contractId: 'c9',
  daemonId: 'd1',
  daemonName: 'box',
  connected: false,
  operations: ['branch.deliver'],
  agents: [],
  since: ago(50),
};

const standing = (tasks: readonly UnplacedTask[], ends: readonly OwedEnd[]) =>
  standstills({ tasks, ends, ready: [], idle: [] });

describe('tasks without a place', () => {
  it('are told once for each contract and reason, by the one that waits the longest', () => {
    const told = standing(
      [
        { ...task, id: 't3', name: 'docs', since: ago(10) },
        { ...task, id: 't2', name: 'test', since: ago(1000) },
        task,
        { ...task, id: 't4', name: 'lint', since: ago(5) },
        { ...task, id: 't5', contractId: 'c2', isSupervisor: true, name: 'supervisor' },
        { ...task, id: 't6', reason: { kind: 'agent_missing', agent: 'claude' } },
      ],
      [],
    );
    expect(told).toEqual([
      {
        id: 't1',
        contractId: 'c1',
        since: ago(1000),
        title: 'Tasks build, test, docs and 1 more cannot start: No daemon is connected.',
        act: 'makima daemon start',
      },
      expect.objectContaining({
        contractId: 'c2',
        title: 'The supervisor cannot start: No daemon is connected.',
      }),
      expect.objectContaining({ id: 't6', act: 'makima daemon list' }),
    ]);
    expect(told[2]?.title).toMatch(
      /^Task build cannot start: No connected machine .* agent claude/,
    );
  });

  it('of directives stand alone: nothing joins them', () => {
    const told = standing(
      [
        { ...task, contractId: null },
        { ...task, id: 't2', contractId: null },
      ],
      [],
    );
    expect(told.map(({ id, contractId }) => [id, contractId])).toEqual([
      ['t1', null],
      ['t2', null],
    ]);
  });

  const reasons: readonly [UnplacedReason, boolean][] = [
    [{ kind: 'backing_off', until: soon }, false],
    [{ kind: 'no_daemon' }, true],
    [{ kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'offline' }, true],
    [{ kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'excluded' }, true],
    [{ kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'full' }, false],
    [{ kind: 'excluded', daemonIds: ['d1'] }, true],
    [{ kind: 'agent_missing', agent: 'claude' }, true],
    [{ kind: 'account_limited', agent: 'claude', until: soon }, false],
    [{ kind: 'no_capacity', daemonIds: ['d1'], reservedForTasks: false }, false],
  ];
  it.each(reasons)('%o: a person must act: %s', (reason, stands) => {
    expect(standing([{ ...task, reason }], [])).toHaveLength(stands ? 1 : 0);
  });
});

it('an end of a contract stands when the machine that owes it is away', () => {
  expect(standing([], [end, { ...end, connected: true }])).toEqual([
    {
      id: 'd1',
      contractId: 'c9',
      since: ago(50),
      title: expect.stringContaining(
        'Machine box is offline and still owes the clean-up: the branch to deliver',
      ),
      act: 'makima daemon revoke d1',
    },
  ]);
});

it('a phase that is ready, where nothing advances by itself, is moved on by hand', () => {
  const ready = {
    contractId: 'c1',
    slug: 'fix',
    phase: 'plan',
    nextPhase: 'execute',
    since: ago(9),
  };
  expect(standstills({ tasks: [], ends: [], ready: [ready], idle: [] })).toEqual([
    {
      id: 'c1',
      contractId: 'c1',
      since: ago(9),
      title: 'The gate of phase plan is met, but nothing advances by itself here.',
      act: 'makima contracts advance fix --phase execute',
    },
  ]);
});

it('a supervisor that nothing wakes stands, unless its phase is ready anyway', () => {
  const lead = { taskId: 't7', contractId: 'c7', words: 'I am done.', since: ago(9) };
  const facts = { tasks: [], ends: [], idle: [lead] };
  expect(standstills({ ...facts, ready: [] })).toEqual([
    {
      id: 't7',
      contractId: 'c7',
      since: ago(9),
      title: 'Its agent has ended its turn and waits to be told. I am done.',
      act: 'makima tasks message t7 "<what to do next>"',
    },
  ]);
  const ready = { slug: 'x', phase: 'plan', nextPhase: 'execute', contractId: 'c7', since: ago(1) };
  expect(standstills({ ...facts, ready: [ready] })).toHaveLength(1);
});
