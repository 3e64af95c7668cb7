/** Why a contract does not move: people first, then agents, then the gate. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinTypes } from './contract-type.ts';
import { contractStatuses } from './contract.ts';
import { readiness } from './gate.ts';
import { taskSessions, taskStatuses } from './task.ts';
import { ago, now, pending, question, soon, task } from './test-why.ts';
import { type WhyTaskFacts } from './why-task.ts';
import { type WhyContractFacts, whyContract } from './why.ts';

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
  cleanup: [],
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
      act: 'makima contracts start fix-login',
    });
    expect(judged({ status: 'paused', supervisor: null })).toMatchObject({
      moving: false,
      kinds: ['pause'],
      summary: 'A person paused the contract.',
    });
    expect(judged({ status: 'paused' })).toMatchObject({
      moving: true,
      kinds: ['pause'],
      summary: 'A person paused the contract; one agent ends its turn.',
    });
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
      summary:
        'Completion was detected; it can be rejected until 2030-01-01T12:01:00.000Z (makima contracts resume fix-login), or completed now (makima contracts advance fix-login --confirm).',
    });
    expect(judged({ status: 'completing' }).moving).toBe(true);
    const confirmation = { kind: 'completion_confirmation', questionId: null, since: now } as const;
    expect(judged({ status: 'completing', confirmation, nextPhase: null })).toMatchObject({
      moving: false,
      kinds: ['guard'],
      act: 'makima contracts advance fix-login --confirm',
    });
  });

  it('after its grace names the machine that owes the clean-up, and what to do when it is away', () => {
    const owes = {
      daemonId: 'd1',
      daemonName: 'laptop',
      connected: true,
      operations: ['workdir.clean'],
      agents: ['lead'],
      since: ago(1000),
    };
    const late = { status: 'completing', graceEndsAt: ago(1) } as const;
    expect(judged({ ...late, cleanup: [owes] })).toMatchObject({
      moving: true,
      summary:
        'The contract is being cleaned up: 1 agent to stop (lead), 1 working directory to clean up on laptop.',
    });
    const much = {
      ...owes,
      agents: ['lead', 'a', 'b', 'c', 'd'],
      operations: [
        'branch.deliver',
        'branch.merge',
        'branch.merge',
        'workdir.clean',
        'workdir.clean',
      ],
    };
    expect(judged({ ...late, cleanup: [much] }).summary).toBe(
      'The contract is being cleaned up: 5 agents to stop (lead, a, b, and 2 more), the branch to deliver, 2 merges to finish, 2 working directories to clean up on laptop.',
    );
    const rare = {
      ...owes,
      agents: [],
      operations: ['task.pack', 'branch.hand_over', 'pr.open', 'x'],
    };
    expect(judged({ ...late, cleanup: [rare] }).summary).toContain(
      '1 merge to send, 1 branch to hand over, 1 pull request to open, x on laptop',
    );
    expect(judged(late)).toMatchObject({
      moving: true,
      summary: 'The contract is being cleaned up.',
    });
    const away = judged({ ...late, cleanup: [owes, { ...owes, connected: false, agents: [] }] });
    expect(away).toMatchObject({
      moving: false,
      kinds: ['machine_offline'],
      act: 'makima daemon revoke d1',
    });
    expect(away.summary).toContain(
      'laptop is offline and still owes the clean-up: 1 working directory',
    );
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

  it('is held by a validator that fails: what it said, and how a person leaves it out', () => {
    const validated = {
      ...builtinTypes.simple,
      phases: builtinTypes.simple.phases.map((phase) => ({
        ...phase,
        gate: { tasks: 'none', validator: ['make', 'check'] } as const,
      })),
    };
    const gate = readiness({
      type: validated,
      phase: 'plan',
      completedDeliverables: [],
      extraDeliverables: [],
      tasks: [],
      validator: { state: 'failed', exitCode: 2, said: 'no rule' },
    });
    const idle = { words: '', since: ago(9) };
    const stuck = { readiness: gate, supervisor: { ...task, idle } };
    expect(judged(stuck)).toMatchObject({
      moving: false,
      kinds: ['gate', 'gate', 'idle'],
      act: 'makima contracts skip-validator fix-login',
      summary: expect.stringMatching(/^Validator `make check` exited with 2: no rule\. It is run/),
    });
    // Beside the question of a supervisor that does not know on.
    const asked = judged({ ...stuck, status: 'waiting_for_input', openQuestions: [question] });
    expect(asked.kinds).toEqual(['question', 'idle', 'gate']);
    expect(judged({ readiness: gate })).toMatchObject({ moving: true, kinds: [] });
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

  it('tells a budget that is used up once, with the answer that raises it', () => {
    const raise = 'Raise by $5.00';
    const budget = { reason: 'It is used up.', since: ago(1), questionId: question.id, raise };
    const supervisor = { ...task, id: 's1', status: 'paused', budget } as const;
    const waiting = {
      status: 'waiting_for_input',
      openQuestions: [{ ...question, raise }],
    } as const;
    expect(judged({ ...waiting, supervisor, tasks: [{ ...pending, budget }] })).toMatchObject({
      moving: false,
      kinds: ['budget'],
      act: 'makima answer q1 "Raise by $5.00"',
    });
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
      'makima contracts advance fix-login --confirm',
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
