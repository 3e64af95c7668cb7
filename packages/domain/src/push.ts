/**
 * An event as a message on a person's phone: what it is about, what it asks, how urgent it is.
 *
 * Law: short, plain, and no more than a person needs to decide whether to look: the words of a question and
 * its choices, never code, output or a tool's input. Null for what nobody needs to be told.
 */
import { cancelledReason } from './contract.ts';

/** As ntfy counts: 1 lowest, 3 ordinary, 5 highest. */
export type PushPriority = 2 | 3 | 4 | 5;

export interface Push {
  readonly title: string;
  readonly message: string;
  readonly priority: PushPriority;
  /** Names of emoji that ntfy shows before the title. */
  readonly tags: readonly string[];
}

export interface PushFacts {
  /** `noun.verbed`. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The slug of the contract; null for events of none. */
  readonly contract: string | null;
}

/** Events after which a person is needed: what an endpoint is told of unless it chose otherwise. */
export const personNeeded = [
  'question.asked',
  // One that is used up asks a question.
  'budget.warned',
  'contract.failed',
  'contract.ready',
  'supervisor.blocked',
  'daemon.lost',
  'webhook.quarantined',
] as const;

const titleChars = 120;
const messageChars = 1_000;

export function pushOf(facts: PushFacts): Push | null {
  const push = wordsOf(facts);
  if (push === null) return null;
  return { ...push, title: cut(push.title, titleChars), message: cut(push.message, messageChars) };
}

function wordsOf({ type, data, contract }: PushFacts): Push | null {
  const about = contract ?? 'makima';
  const reason = textOf(data['reason']);
  switch (type) {
    case 'question.asked':
      return asked(about, data);
    case 'budget.warned':
    case 'budget.reached': {
      const whose =
        data['scope'] === 'task' ? `${textOf(data['name']) || 'A task'} of ${about}` : about;
      const title =
        type === 'budget.warned' ? 'has used most of its budget' : 'has used up its budget';
      return {
        title: `${whose} ${title}`,
        message: textOf(data['words']),
        priority: 3,
        tags: ['moneybag'],
      };
    }
    case 'contract.failed':
      if (reason.startsWith(cancelledReason)) return null;
      return { title: `${about} failed`, message: reason, priority: 4, tags: ['x'] };
    case 'contract.ready': {
      // What goes on by itself needs nobody.
      if (data['byItself'] === true) return null;
      const message = `${textOf(data['phase']) || 'Its phase'} is done, and it goes on when you say so.`;
      return { title: `${about} is ready`, message, priority: 3, tags: ['white_check_mark'] };
    }
    case 'supervisor.blocked':
      return { title: `${about} is blocked`, message: reason, priority: 4, tags: ['warning'] };
    case 'daemon.lost': {
      const name = textOf(data['name']) || 'A machine';
      return { title: `${name} is lost`, message: reason, priority: 3, tags: ['warning'] };
    }
    case 'webhook.quarantined': {
      const title = `Webhook ${textOf(data['name'])} is set aside`;
      return { title, message: reason, priority: 3, tags: ['warning'] };
    }
    default:
      return { title: `${about}: ${type}`, message: reason, priority: 2, tags: [] };
  }
}

function asked(about: string, data: PushFacts['data']): Push {
  const question = textOf(data['question']);
  const choices = Array.isArray(data['choices']) ? data['choices'].map(textOf) : [];
  const offered = choices.map((choice, at) => `${at + 1} ${choice}`);
  const message = [question, ...offered].join('\n');
  switch (data['questionType']) {
    case 'phase_confirmation':
    case 'contract_complete':
      return { title: `${about} needs your word`, message, priority: 4, tags: ['lock'] };
    case 'permission':
      return { title: `${about} asks for permission`, message, priority: 4, tags: ['key'] };
    default:
      return { title: `${about} asks`, message, priority: 4, tags: ['question'] };
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function cut(text: string, chars: number): string {
  const characters = Array.from(text);
  return characters.length <= chars ? text : `${characters.slice(0, chars - 1).join('')}…`;
}
