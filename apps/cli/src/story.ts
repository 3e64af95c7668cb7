/**
 * Events as a story: one line each, with a glyph, a word and a sentence.
 *
 * Why: `watch`, `run --watch`, `events --follow` and the demo tell the same story in the same words.
 * Law: a line is one line, without control characters, whatever an agent wrote into a name or a question.
 * A line says what happened even when a fact is missing from its event.
 */
import type { Event, EventType } from '@makima/contracts/entity/event';
import type { Colors } from './io.ts';
import { headline, oneLine } from './plain.ts';
import type { StoryContext } from './story-context.ts';
import { signs, type Hue } from './story-signs.ts';
import { tell } from './story-words.ts';
import { clockTime } from './time.ts';

export function storyContext(
  screen: { colors: Colors; columns: number; ellipsis: string },
  options: { showContract: boolean },
): StoryContext {
  return {
    colors: screen.colors,
    columns: screen.columns,
    ellipsis: screen.ellipsis,
    showContract: options.showContract,
    taskNames: new Map(),
    contractSlugs: new Map(),
    daemonNames: new Map(),
    questions: new Map(),
  };
}

const wordWidth = 10;

/** The event as a line for people, e.g. `14:03:59  > started    write-tests, attempt 1`. */
export function storyLine(event: Event, context: StoryContext): string {
  learn(event, context);
  const { glyph, word, hue } = signs[event.type];
  const contract = context.showContract ? `${contractName(event, context)}  ` : '';
  const lead = `${clockTime(event.time)}  ${glyph} ${word.padEnd(wordWidth)} ${contract}`;
  const room = Math.max(20, context.columns - lead.length);
  const sentence = tell(event, context);
  // A question is read by whoever is to answer it: it is shown whole.
  const whole = event.type.startsWith('question.') || !Number.isFinite(room);
  const fitted = whole ? sentence : headline(sentence, room, context.ellipsis);
  const { colors } = context;
  return [
    `${colors.dim(clockTime(event.time))}  `,
    paint(`${glyph} ${word.padEnd(wordWidth)}`, hue, colors),
    ` ${colors.cyan(contract)}${fitted}`,
  ]
    .join('')
    .trimEnd();
}

/** The command that acts on what the event tells, to be shown under its line; null when there is none. */
export function storyAct(event: Event): string | null {
  const { questionId } = event.data;
  const asks = event.type === 'question.asked' || event.type === 'question.redelivered';
  if (!asks || typeof questionId !== 'string') return null;
  return `makima answer ${oneLine(questionId)} <number or words>`;
}

/** Told only to those who ask for every event: book-keeping, and what another event says better. */
export function isChatter(event: Event): boolean {
  if (event.type === 'supervisor.state_changed') return !stands.has(event.data['to']);
  // The result that a person waited for, and why it is not where they wanted it.
  if (event.type === 'operation.finished' && event.data['kind'] === 'branch.deliver') return false;
  return chatter.has(event.type);
}

/** States in which a supervisor does nothing, so that a person may have to. */
const stands: ReadonlySet<unknown> = new Set(['idle', 'blocked', 'failed', 'interrupted']);

const chatter: ReadonlySet<EventType> = new Set<EventType>([
  'supervisor.saved',
  'message.sent',
  'message.delivered',
  'message.refused',
  'operation.requested',
  'operation.finished',
  'wait.started',
  'wait.satisfied',
  'task.assigned',
  'contract.started',
]);

/** The same sentence without time, glyph and colour: for tables and logs. */
export function storySentence(event: Event, context: StoryContext): string {
  learn(event, context);
  return tell(event, context);
}

function contractName(event: Event, context: StoryContext): string {
  if (event.contractId === null) return '-';
  return context.contractSlugs.get(event.contractId) ?? event.contractId.slice(0, 8);
}

function learn(event: Event, context: StoryContext): void {
  const { name, slug, daemonId, questionId, question } = event.data;
  if (typeof questionId === 'string' && typeof question === 'string') {
    context.questions.set(questionId, oneLine(question));
  }
  if (event.contractId !== null && typeof slug === 'string') {
    context.contractSlugs.set(event.contractId, oneLine(slug));
  }
  if (typeof name !== 'string') return;
  if (event.taskId !== null) context.taskNames.set(event.taskId, oneLine(name));
  if (event.type.startsWith('daemon.') && typeof daemonId === 'string') {
    context.daemonNames.set(daemonId, oneLine(name));
  }
}

function paint(text: string, hue: Hue, colors: Colors): string {
  return hue === 'plain' ? text : colors[hue](text);
}
