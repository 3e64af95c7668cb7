/** Why contracts, tasks and placements do not move: every status and every blocker. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinTypes } from './contract-type.ts';
import { type ContractStatus, contractStatuses } from './contract.ts';
import { readiness } from './gate.ts';
import type { UnplacedReason } from './placement.ts';
import { taskSessions, taskStatuses } from './task.ts';
import { placementBlocker } from './why-blocker.ts';
import { type WhyTaskFacts, whyTask } from './why-task.ts';
import { type WhyContractFacts, whyContract } from './why.ts';

const now = new Date('2030-01-01T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const soon = new Date(now.getTime() + 60_000);
const question = { id: 'q1', question: 'Which?', askedAt: ago(500) };

const task: WhyTaskFacts = {
  id: 't1',
  name: 'build',
  contractId: 'c1',
  contractStatus: 'active',
  status: 'running',
  statusSince: ago(1000),
  session: 'live',
  errorMessage: null,
  needs: { kind: 'met' },
  unplaced: null,
  resumeAt: null,
  lease: { expiresAt: soon },
  daemon: { name: 'laptop', connected: true, lastSeenAt: ago(10) },
  openQuestions: [],
  wait: null,
  idle: null,
  budget: null,
};

const pending = { ...task, status: 'pending', session: 'none', lease: null, daemon: null } as const;

function told(facts: WhyTaskFacts) {
  const why = whyTask(facts, now);
  for (const item of why.blockers) expect(item.taskId).toBe(facts.id);
  return { moving: why.moving, kinds: why.blockers.map(({ kind }) => kind), summary: why.summary };
}

describe('a task at work', () => {
  it('moves, with or without a question beside it', () => {
    expect(told(task)).toEqual({
      moving: true,
      kinds: [],
      summary: 'Task build is running and moves.',
    });
    expect(told({ ...task, openQuestions: [question] })).toMatchObject({
      moving: true,
      kinds: ['question'],
    });
    expect(told({ ...task, status: 'starting', openQuestions: [question] }).moving).toBe(true);
  });

  it('stands still when its turn is over and it waits for nothing', () => {
    const idle = { words: 'Idle: its turn failed: no script', since: ago(5) };
    expect(told({ ...task, idle })).toMatchObject({ moving: false, kinds: ['idle'] });
    expect(told({ ...task, idle }).summary).toContain('its turn failed');
    // What it waits for explains more.
    expect(told({ ...task, idle, openQuestions: [question] }).kinds).toEqual(['question']);
  });

  it('stands still when its daemon is offline or its lease is out', () => {
    const daemon = { name: 'laptop', connected: false, lastSeenAt: null };
    expect(told({ ...task, daemon })).toEqual({
      moving: false,
      kinds: ['machine_offline'],
      summary: 'Daemon laptop, on which it runs, is offline.',
    });
    expect(told({ ...task, lease: { expiresAt: now }, openQuestions: [question] })).toMatchObject({
      moving: false,
      kinds: ['lease', 'question'],
    });
    expect(told({ ...task, lease: null, daemon: null }).moving).toBe(true);
    const wait = { on: 'task test', since: ago(5) };
    expect(told({ ...task, daemon, wait }).kinds).toEqual(['machine_offline', 'dependency']);
  });

  it('rests while it is limited or waits', () => {
    expect(told({ ...task, session: 'limited', resumeAt: soon }).summary).toContain(
      'It goes on at 2030-01-01T12:01:00.000Z.',
    );
    expect(told({ ...task, session: 'limited' })).toMatchObject({
      moving: false,
      kinds: ['limit'],
    });
    const wait = { on: 'task test', since: ago(5) };
    for (const session of ['parked', 'live'] as const) {
      expect(told({ ...task, session, wait })).toMatchObject({
        moving: false,
        kinds: ['dependency'],
        summary: 'Waits for task test.',
      });
      const asked = { ...task, session, wait, openQuestions: [question] };
      expect(told(asked)).toMatchObject({ moving: false, kinds: ['question'] });
    }
    expect(told({ ...task, session: 'parked' })).toMatchObject({ moving: true, kinds: [] });
  });
});

describe('a task that waits for its place', () => {
  it('is about to be placed when nothing is in the way', () => {
    expect(told(pending)).toMatchObject({ moving: true, kinds: [] });
    expect(told({ ...pending, status: 'interrupted', openQuestions: [question] })).toMatchObject({
      moving: true,
      kinds: ['question'],
    });
  });

  it('names the tasks that it needs', () => {
    const test = { taskId: 't2', name: 'test', status: 'running' } as const;
    expect(told({ ...pending, needs: { kind: 'waiting', on: [test] } })).toEqual({
      moving: false,
      kinds: ['dependency'],
      summary: 'Needs task test, which is running.',
    });
    const failed = { ...test, status: 'failed' } as const;
    expect(told({ ...pending, needs: { kind: 'never', because: [failed] } }).summary).toBe(
      'Needs task test, which is failed: it cannot start as it stands.',
    );
  });

  it('says what the placement rule said', () => {
    expect(told({ ...pending, unplaced: { kind: 'no_daemon' } })).toMatchObject({
      moving: false,
      kinds: ['no_daemon'],
    });
  });

  it('rests with its contract', () => {
    const kind = (contractStatus: ContractStatus) => {
      const why = whyTask({ ...pending, contractStatus }, now);
      return [why.blockers[0]?.kind, why.blockers[0]?.whoCanAct, why.blockers[0]?.act];
    };
    const act = 'POST /api/v1/contracts/c1/status {"targetStatus":"active"}';
    expect(kind('paused')).toEqual(['pause', 'person', act]);
    expect(kind('blocked')).toEqual(['blocked', 'person', act]);
    expect(kind('completing')).toEqual(['pause', 'nobody', null]);
  });
});

describe('a task at rest', () => {
  it('is paused with its contract, or by itself, or for a question', () => {
    const paused = { ...task, status: 'paused' } as const;
    expect(whyTask(paused, now).blockers[0]).toMatchObject({ kind: 'pause', act: null });
    const both = whyTask({ ...paused, contractStatus: 'paused' }, now).blockers[0];
    expect(both?.act).toContain('/contracts/c1/status');
    expect(told({ ...paused, openQuestions: [question] }).kinds).toEqual(['question', 'pause']);
    expect(told({ ...paused, session: 'limited' }).kinds).toEqual(['limit']);
  });

  it('is held by a budget before anything else', () => {
    const budget = { reason: 'The budget of 5 dollars is spent.', since: ago(1) };
    expect(told({ ...task, budget, openQuestions: [question] })).toMatchObject({
      moving: false,
      kinds: ['budget'],
    });
  });

  it('has ended, with the reason', () => {
    expect(told({ ...task, status: 'failed', errorMessage: 'no API.' })).toEqual({
      moving: false,
      kinds: ['done'],
      summary: 'Task build is failed: no API.',
    });
    expect(told({ ...task, status: 'merged' }).summary).toBe('Task build is merged.');
  });

  it('always gets an answer', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...taskStatuses),
        fc.constantFrom(...taskSessions),
        fc.constantFrom(...contractStatuses),
        fc.boolean(),
        (status, session, contractStatus, asked) => {
          const openQuestions = asked ? [question] : [];
          const why = whyTask({ ...task, status, session, contractStatus, openQuestions }, now);
          expect(why.moving || why.blockers.length > 0).toBe(true);
          expect(why.summary).not.toBe('');
        },
      ),
    );
  });
});

describe('placement', () => {
  it.each<[string, UnplacedReason]>([
    ['backing_off', { kind: 'backing_off', until: soon }],
    ['no_daemon', { kind: 'no_daemon' }],
    ['no_daemon', { kind: 'excluded', daemonIds: ['d1'] }],
    ['no_daemon', { kind: 'agent_missing', agent: 'codex' }],
    ['limit', { kind: 'account_limited', agent: 'claude', until: soon }],
    ['capacity', { kind: 'no_capacity', daemonIds: ['d1'], reservedForTasks: true }],
    ['capacity', { kind: 'no_capacity', daemonIds: ['d1'], reservedForTasks: false }],
    ['machine_offline', { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'offline' }],
    ['capacity', { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'full' }],
    ['no_daemon', { kind: 'waits_for_its_daemon', daemonId: 'd1', condition: 'excluded' }],
  ])('is told as %s', (kind, reason) => {
    const told = placementBlocker(reason, now);
    expect(told).toMatchObject({ kind, since: now });
    expect(told.act === null).toBe(told.whoCanAct !== 'person');
    expect(told.reason).toMatch(/\.$/);
  });
});

const planReady = readiness({
  type: builtinTypes.simple,
  phase: 'plan',
  completedDeliverables: [{ id: 'plan-document' }],
  extraDeliverables: [],
  tasks: [],
});

const contract: WhyContractFacts = {
  id: 'c1',
  slug: 'fix-login',
  status: 'active',
  statusSince: ago(2000),
  blockedReason: null,
  failureReason: null,
  phase: 'plan',
  phaseSince: ago(3000),
  nextPhase: 'execute',
  readiness: planReady,
  autoAdvance: true,
  confirmation: null,
  openQuestions: [],
  supervisor: { ...task, id: 's1', name: 'lead' },
  tasks: [],
  graceEndsAt: null,
};

function judged(over: Partial<WhyContractFacts>) {
  const why = whyContract({ ...contract, ...over }, now);
  const first = why.blockers[0];
  const kinds = why.blockers.map(({ kind }) => kind);
  return { moving: why.moving, kinds, act: first?.act ?? null, summary: why.summary };
}

describe('a contract', () => {
  it('moves while somebody works', () => {
    expect(judged({})).toEqual({
      moving: true,
      kinds: [],
      act: null,
      summary: 'Contract fix-login is at work in plan.',
    });
  });

  it('is not started, paused, blocked or at its end', () => {
    expect(judged({ status: 'created' })).toMatchObject({
      moving: false,
      kinds: ['not_started'],
      act: 'POST /api/v1/contracts/c1/start',
    });
    expect(judged({ status: 'paused' }).kinds).toEqual(['pause']);
    expect(judged({ status: 'blocked' }).summary).toBe('The contract is blocked.');
    expect(judged({ status: 'blocked', blockedReason: 'No licence.' })).toMatchObject({
      kinds: ['blocked'],
      summary: 'No licence.',
    });
    expect(judged({ status: 'completed' }).summary).toBe('The contract is completed.');
    expect(judged({ status: 'archived' }).kinds).toEqual(['done']);
    expect(judged({ status: 'failed' }).summary).toContain('no reason given');
    expect(judged({ status: 'failed', failureReason: 'cancelled' }).summary).toBe(
      'The contract is failed: cancelled.',
    );
  });

  it('completes after its grace, or when a person confirms', () => {
    expect(judged({ status: 'completing', graceEndsAt: soon })).toMatchObject({
      moving: true,
      kinds: ['gate'],
      summary: 'Completion was detected; it can be rejected until 2030-01-01T12:01:00.000Z.',
    });
    expect(judged({ status: 'completing' }).moving).toBe(true);
    const confirmation = { kind: 'completion_confirmation', questionId: null, since: now } as const;
    expect(judged({ status: 'completing', confirmation, nextPhase: null })).toMatchObject({
      moving: false,
      kinds: ['guard'],
      act: 'POST /api/v1/contracts/c1/status {"targetStatus":"completed"}',
    });
  });

  it('waits for a confirmation, with the command that gives it', () => {
    const confirmation = { kind: 'phase_confirmation', questionId: 'q9', since: now } as const;
    const waiting = { status: 'waiting_for_input', confirmation, supervisor: null } as const;
    expect(judged(waiting)).toEqual({
      moving: false,
      kinds: ['guard'],
      act: 'makima contracts advance fix-login --phase execute --confirm',
      summary: 'Leaving phase plan is guarded: a person must confirm.',
    });
    expect(judged({ ...waiting, nextPhase: null }).act).toBe('makima answer q9 yes');
  });

  it('tells a question once, from the contract and from the task that asked', () => {
    const supervisor = { ...task, id: 's1', session: 'parked', openQuestions: [question] } as const;
    expect(judged({ openQuestions: [question], supervisor })).toMatchObject({
      moving: false,
      kinds: ['question'],
      act: 'makima answer q1 "<your answer>"',
    });
    expect(judged({ supervisor }).kinds).toEqual(['question']);
  });

  it('waits for a person although the process of its supervisor, which asked, is alive', () => {
    const asking = { ...task, id: 's1', openQuestions: [question] } as const;
    const waiting = { status: 'waiting_for_input', supervisor: asking } as const;
    expect(judged({ ...waiting, openQuestions: [question] })).toMatchObject({
      moving: false,
      kinds: ['question'],
    });
    expect(judged({ ...waiting, tasks: [task] })).toMatchObject({ moving: true });
  });

  it('tells what ended after everything that still waits', () => {
    const supervisor = {
      ...task,
      id: 's1',
      status: 'failed',
      errorMessage: 'out of ideas',
    } as const;
    const stuck = { ...pending, unplaced: { kind: 'no_daemon' } } as const;
    expect(judged({ supervisor, tasks: [stuck] }).kinds).toEqual(['no_daemon', 'done']);
  });

  it('moves through its tasks while its supervisor waits', () => {
    const wait = { on: 'task build', since: ago(5) };
    const supervisor = { ...task, id: 's1', session: 'parked', wait } as const;
    expect(judged({ supervisor, tasks: [task] })).toMatchObject({
      moving: true,
      kinds: ['dependency'],
    });
    const stuck = { ...pending, unplaced: { kind: 'no_daemon' } } as const;
    expect(judged({ supervisor, tasks: [stuck] })).toMatchObject({
      moving: false,
      kinds: ['no_daemon', 'dependency'],
    });
  });

  it('tells the oldest of one kind first, and what has no time last', () => {
    const older = { ...question, id: 'q0', askedAt: ago(900) };
    const both = whyContract({ ...contract, openQuestions: [question, older] }, now);
    expect(both.blockers.map(({ questionId }) => questionId)).toEqual(['q0', 'q1']);
    const offline = (id: string, lastSeenAt: Date | null): WhyTaskFacts => ({
      ...task,
      id,
      daemon: { name: id, connected: false, lastSeenAt },
    });
    const tasks = [offline('never', null), offline('seen', ago(9)), offline('never2', null)];
    const why = whyContract({ ...contract, supervisor: null, tasks }, now);
    expect(why.blockers.map(({ taskId }) => taskId)).toEqual(['seen', 'never', 'never2']);
  });

  it('names what the phase owes when nobody works on it', () => {
    const supervisor = { ...task, id: 's1', status: 'done' } as const;
    const owing = readiness({
      type: builtinTypes.simple,
      phase: 'plan',
      completedDeliverables: [],
      extraDeliverables: [],
      tasks: [],
    });
    expect(judged({ supervisor, readiness: owing })).toMatchObject({
      moving: false,
      kinds: ['gate', 'done'],
      summary: 'Deliverable plan-document (Plan document) is not complete.',
    });
    const idle = { words: 'I am done.', since: ago(5) };
    expect(judged({ supervisor: { ...task, id: 's1', idle }, readiness: owing }).kinds).toEqual([
      'gate',
      'idle',
    ]);
    expect(judged({ supervisor }).summary).toContain('the next step is about to be taken');
    expect(judged({ supervisor, autoAdvance: false }).act).toBe(
      'makima contracts advance fix-login --phase execute',
    );
    expect(judged({ supervisor: null, autoAdvance: false, nextPhase: null }).act).toBe(
      'POST /api/v1/contracts/c1/status {"targetStatus":"completing"}',
    );
  });

  it('always gets an answer', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...contractStatuses),
        fc.constantFrom(...taskStatuses),
        fc.constantFrom(...taskSessions),
        fc.boolean(),
        (status, taskStatus, session, autoAdvance) => {
          const supervisor = { ...task, id: 's1', status: taskStatus, session };
          const why = whyContract({ ...contract, status, supervisor, autoAdvance }, now);
          expect(why.moving || why.blockers.length > 0).toBe(true);
          expect(why.summary).toMatch(/^[\x20-\x7e]+$/);
        },
      ),
    );
  });
});
