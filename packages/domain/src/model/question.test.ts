/**
 * Many lives of a question: people, defaults and its own asker race for its end, and its agent may ask it
 * again.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  checkAnswer,
  checkDefault,
  isConfirming,
  isDefaultDue,
  permissionVerdict,
  questionAfterHold,
  questionHoldMs,
  questionTransitions,
  questionTypes,
  type DefaultAnswer,
  type QuestionStatus,
  type QuestionType,
} from '../question.ts';
import { holds, must, step, type Step } from './test-model.ts';

interface World {
  nowMs: number;
  readonly question: string;
  readonly choices: readonly string[];
  readonly multiSelect: boolean;
  type: QuestionType;
  phaseguard: boolean;
  status: QuestionStatus;
  defaultAnswer: DefaultAnswer | undefined;
  answer: string | null;
  /** Every answer that was ever accepted, and by whom. */
  readonly accepted: { readonly by: 'person' | 'default'; readonly value: string }[];
  reopened: number;
}

const begin = (): World => ({
  nowMs: Date.UTC(2030, 0, 1),
  question: 'Which way?',
  choices: ['left', 'right'],
  multiSelect: true,
  type: 'general',
  phaseguard: false,
  status: 'open',
  defaultAnswer: undefined,
  answer: null,
  accepted: [],
  reopened: 0,
});

function move(world: World, to: QuestionStatus): boolean {
  if (!questionTransitions[world.status].includes(to)) return false;
  world.status = to;
  return true;
}

function answer(world: World, by: 'person' | 'default', response: string | string[]): void {
  const verdict = checkAnswer(world, response);
  if (!verdict.ok || !move(world, 'answered')) return;
  must(verdict.value.trim() !== '', 'an answer says something');
  must(
    verdict.selected.every((chosen) => world.choices.includes(chosen)),
    'what was selected was offered',
  );
  world.answer = verdict.value;
  world.accepted.push({ by, value: verdict.value });
}

const responses = fc.oneof(
  fc.constantFrom('left', ' LEFT ', 'left, right', '', '   ', 'yes', 'neither'),
  fc.array(fc.constantFrom('left', 'RIGHT', '', 'up'), { maxLength: 3 }),
);

const steps: fc.Arbitrary<Step<World>>[] = [
  fc.integer({ min: 1, max: 120_000 }).map((ms) => ({
    name: `${ms} ms pass`,
    happen: (world) => void (world.nowMs += ms),
  })),
  responses.map((response) => ({
    name: `a person says ${JSON.stringify(response)}`,
    happen: (world) => answer(world, 'person', response),
  })),
  fc
    .tuple(fc.constantFrom('left', '', 'up'), fc.integer({ min: 1, max: 300 }))
    .map(([given, afterSeconds]): Step<World> => ({
      name: `default ${given} after ${afterSeconds} s`,
      may: (world) => world.status === 'open' && world.defaultAnswer === undefined,
      happen: (world) => {
        const verdict = checkDefault(world, { answer: given, afterSeconds });
        if (!verdict.ok) return;
        const at = new Date(world.nowMs + afterSeconds * 1_000);
        world.defaultAnswer = { answer: verdict.value, at };
      },
    })),
  step('the sweep looks', (world) => {
    if (world.status !== 'open' || !isDefaultDue(world, new Date(world.nowMs))) return;
    must(world.nowMs >= (world.defaultAnswer?.at.getTime() ?? Infinity), 'its time has come');
    answer(world, 'default', world.defaultAnswer?.answer ?? '');
  }),
  step('withdrawn', (world) => void move(world, 'cancelled')),
  step('asked again', (world) => void (move(world, 'open') && (world.reopened += 1))),
  fc.tuple(fc.constantFrom(...questionTypes), fc.boolean()).map(([type, phaseguard]) => ({
    name: `is a ${type}${phaseguard ? ', guarding' : ''}`,
    may: (world) => world.defaultAnswer === undefined && world.status === 'open',
    happen: (world) => void Object.assign(world, { type, phaseguard }),
  })),
];

function invariants({ accepted, status, answer: kept, ...world }: World): void {
  must(accepted.length <= 1, 'the first answer wins, for ever');
  must((status === 'answered') === (accepted.length === 1), 'answered is who has an answer');
  must(kept === (accepted[0]?.value ?? null), 'the answer is the accepted one');
  if (!world.phaseguard && world.type === 'general') return;
  must(world.defaultAnswer === undefined, 'a guard has no default');
  must(!accepted.some(({ by }) => by === 'default'), 'a person decides');
}

const seen = {
  of: ({ status, reopened, accepted: [first] }: World) =>
    first === undefined ? `${status}${reopened > 0 ? ' again' : ''}` : `by ${first.by}`,
  all: ['open', 'cancelled', 'open again', 'by person', 'by default'],
};

it('a question has one answer, the first, and a guard has it from a person', () => {
  holds<World>({ name: 'question', begin, steps, invariants, seen });
});

it('no words but a plain yes open a guard or permit a tool', () => {
  const plainYes =
    /^\s*(confirm|confirmed|yes|y|approve|approved|ok|allow|allowed|permit)[.!]*\s*$/i;
  const yesLike = ['yes', 'Y', 'ok!', 'no', 'not ok', 'yes but', 'confirm', 'do not confirm', ''];
  const words = fc.oneof(fc.string(), fc.constantFrom(...yesLike));
  fc.assert(
    fc.property(words, (said) => {
      if (isConfirming(said)) expect(said).toMatch(plainYes);
      if (permissionVerdict(said).allow) expect(said).toMatch(plainYes);
    }),
    { numRuns: 2_000 },
  );
});

it('whoever asks is held for a bounded time and then told what became of it', () => {
  const asks = fc.record({
    nonBlocking: fc.boolean(),
    phaseguard: fc.boolean(),
    timeoutSeconds: fc.integer({ min: -5, max: 3_600 }),
    reconcileMode: fc.constantFrom(undefined, 'auto', 'semi-auto', 'manual'),
  });
  fc.assert(
    fc.property(asks, (ask) => {
      const holdMs = questionHoldMs(ask);
      const after = questionAfterHold(ask);
      expect(holdMs === 0).toBe(ask.nonBlocking);
      expect(after === 'asked').toBe(ask.nonBlocking);
      expect(holdMs).toBeLessThanOrEqual(3_600_000);
      // A guard never times out: its asker polls until a person has decided.
      if (ask.phaseguard && !ask.nonBlocking) expect(after).toBe('still_pending');
    }),
    { numRuns: 1_000 },
  );
});
