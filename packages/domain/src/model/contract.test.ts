/**
 * Many lives of a contract. Persons, agents and the system try every status at every moment while questions,
 * confirmations, blockers and gates come and go.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import {
  checkContractTransition,
  contractStatuses,
  isTerminal,
  mayWork,
  type ContractFacts,
  type ContractStatus,
} from '../contract.ts';
import { holds, must, step, type Step } from './test-model.ts';

type Facts = { -readonly [K in keyof ContractFacts]: ContractFacts[K] };

interface World {
  status: ContractStatus;
  readonly facts: Facts;
  /** Statuses it had, oldest first. */
  readonly path: ContractStatus[];
  /** The last step that was allowed, with what was true then. */
  last: { from: ContractStatus; to: ContractStatus; facts: Facts } | null;
  lastRefusal: string | null;
}

const begin = (): World => ({
  status: 'created',
  facts: {
    by: 'system',
    hasSupervisorTask: false,
    openQuestions: 0,
    terminalPhase: false,
    gateMet: false,
  },
  path: ['created'],
  last: null,
  lastRefusal: null,
});

const actors = ['person', 'system', 'agent'] as const;

function move(world: World, to: ContractStatus): void {
  const verdict = checkContractTransition(world.status, to, world.facts);
  world.lastRefusal = verdict.ok ? null : verdict.reason;
  if (!verdict.ok) return;
  world.last = { from: world.status, to, facts: { ...world.facts } };
  world.status = to;
  world.path.push(to);
}

const wanting = (statuses: readonly ContractStatus[]): fc.Arbitrary<Step<World>> =>
  fc.tuple(fc.constantFrom(...statuses), fc.constantFrom(...actors)).map(([to, by]) => ({
    name: `${by} wants ${to}`,
    happen: (world) => {
      world.facts.by = by;
      move(world, to);
    },
  }));

/** What ends a life is tried less often than what it lives by. */
const ends: readonly ContractStatus[] = ['failed', 'archived'];
const moves = wanting(contractStatuses.filter((status) => !ends.includes(status)));
const manyMoves = [...Array.from({ length: 12 }, () => moves), wanting(ends)];

const changes: fc.Arbitrary<Step<World>>[] = [
  step('supervisor task', ({ facts }) => void (facts.hasSupervisorTask = true)),
  step('question', ({ facts }) => void (facts.openQuestions += 1)),
  step('answer', ({ facts }) => void (facts.openQuestions = Math.max(0, facts.openQuestions - 1))),
  step('confirmation asked', ({ facts }) => void (facts.openConfirmation = 'phase_confirmation')),
  step(
    'completion asked',
    ({ facts }) => void (facts.openConfirmation = 'completion_confirmation'),
  ),
  step('completion confirmed', ({ facts }) => {
    facts.openConfirmation = undefined;
    facts.completionConfirmed = true;
  }),
  step('confirmation rejected', ({ facts }) => {
    facts.openConfirmation = undefined;
    facts.completionConfirmed = false;
  }),
  step('last phase', ({ facts }) => void (facts.terminalPhase = true)),
  step('gate met', ({ facts }) => void (facts.gateMet = true)),
  step('gate left behind', ({ facts }) => void (facts.gateMet = false)),
  step('blocker', ({ facts }) => void (facts.blocker = 'no licence')),
  step('blocker gone', ({ facts }) => void (facts.blocker = undefined)),
  step('grace over', ({ facts }) => void (facts.graceOver = true)),
];

const refusal = /^[A-Z0-9].*\.$|^The blocker still stands: ./;
const notAnAgents: readonly ContractStatus[] = ['paused', 'failed', 'completed', 'archived'];

function invariants({ status, path, last, lastRefusal }: World): void {
  if (lastRefusal !== null) must(refusal.test(lastRefusal), 'a refusal is a sentence');
  must(!(mayWork(status) && isTerminal(status)), 'who is over does not work');
  if (last === null) return;
  const { from, to, facts } = last;
  const isOpen = facts.openQuestions > 0 || facts.openConfirmation !== undefined;
  if (isTerminal(from)) must(to === 'archived', 'who is over may only be put away');
  must(!path.slice(0, -1).includes('archived'), 'who is put away stays there');
  if (facts.by === 'agent') {
    must(!notAnAgents.includes(to), 'no agent pauses, ends or puts away');
    must(from !== 'paused' && from !== 'completing', 'no agent takes it out of a hand');
  }
  if (to === 'archived') must(isTerminal(from) || facts.by === 'person', 'a person puts away');
  if (to === 'waiting_for_input') must(isOpen, 'it waits for something');
  if (from === 'waiting_for_input' && to === 'active') must(!isOpen, 'what it waited for came');
  if (from === 'created' && to === 'active') must(facts.hasSupervisorTask, 'somebody leads it');
  if (to === 'completing') must(facts.terminalPhase && facts.gateMet, 'its work is there');
  if (to !== 'completed') return;
  must(from === 'completing', 'completion was announced');
  must(facts.graceOver === true || facts.completionConfirmed === true, 'people had their say');
}

const seen = { of: ({ status }: World) => status, all: contractStatuses };

it('whoever tries whatever, a contract only lives as it may', () => {
  holds<World>({
    name: 'contract',
    begin,
    steps: [...manyMoves, ...changes],
    stepsMax: 80,
    invariants,
    seen,
  });
});

it('from wherever it came to, a person can bring it to its end', () => {
  holds<World>({
    name: 'contract',
    begin,
    steps: [...manyMoves, ...changes],
    stepsMax: 80,
    runs: 3_000,
    seen,
    invariants: ({ status, facts }) => {
      const world: World = { ...begin(), status, facts: { ...facts, by: 'person' } };
      move(world, 'failed');
      move(world, 'archived');
      must(world.status === 'archived', 'a person can always end it');
    },
  });
});
