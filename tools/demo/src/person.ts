// The person of the demo at the terminal: is asked what its contract asks, one question at a time.
// Law: an answer that came from elsewhere takes the prompt away; what cannot be an answer is said, and asked
// again.
import { createInterface } from 'node:readline/promises';
import { oneLine } from '@makima/cli/plain';
import { wrap } from '@makima/cli/wrap';
import type { Client } from '@makima/client/client';
import { pause } from '@makima/client/pause';
import type { Question } from '@makima/contracts/entity/question';
import { isMakimaError } from '@makima/domain/error';
import { isConfirming } from '@makima/domain/question';
import type { Screen } from './screen.ts';

export interface Person {
  /** What is open and was not given out before. */
  fresh(): Promise<readonly Question[]>;
  /** Sends an answer; what the server has against it is told. */
  answer(question: Question, response: string): Promise<void>;
  /** Asks at the terminal when it is free; returns at once. */
  ask(question: Question): void;
  /** The question was answered or withdrawn, by whomever. */
  settled(questionId: string): void;
  /** A prompt is open, or will be. */
  readonly isAsked: boolean;
  /** How many questions this person answered. */
  readonly answers: number;
}

export interface PersonOptions {
  readonly client: Client;
  readonly contractId: string;
  readonly screen: Screen;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  /** Ctrl-C at the prompt. */
  readonly interrupt: () => void;
}

export function createPerson(options: PersonOptions): Person {
  const { client, screen, signal } = options;
  const seen = new Set<string>();
  const settled = new Set<string>();
  const queue: Question[] = [];
  let prompt: { readonly id: string; readonly close: AbortController } | undefined;
  let answers = 0;

  const answer = async (question: Question, response: string): Promise<void> => {
    const request = { params: { id: question.id }, body: { response } };
    try {
      await patiently(() => client.call('answerQuestion', request), signal);
      answers += 1;
    } catch (error) {
      // Somebody was faster, or what was asked is gone: both are no more than a line.
      if (!isMakimaError(error)) throw error;
      screen.say(`  ${oneLine(error.message)}`);
    }
  };
  const askNow = async (question: Question): Promise<void> => {
    const close = new AbortController();
    prompt = { id: question.id, close };
    const letGo = screen.hold();
    try {
      const response = await ask(question, options, AbortSignal.any([close.signal, signal]));
      if (response !== undefined) await answer(question, response);
    } finally {
      prompt = undefined;
      letGo();
    }
  };
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (!settled.has(next.id)) await askNow(next);
    }
  };

  const broken = (error: unknown): void => {
    if (signal.aborted) return;
    screen.say(`  ${String(error)}`);
    options.interrupt();
  };

  return {
    async fresh() {
      const query = { contractId: options.contractId, status: 'open' } as const;
      const { items } = await patiently(() => client.call('listQuestions', { query }), signal);
      const found = items.filter(({ id }) => !seen.has(id));
      for (const { id } of found) seen.add(id);
      return found;
    },
    answer,
    ask(question) {
      queue.push(question);
      if (prompt === undefined) work().catch(broken);
    },
    settled(questionId) {
      settled.add(questionId);
      if (prompt?.id === questionId) prompt.close.abort();
    },
    get isAsked() {
      return prompt !== undefined || queue.length > 0;
    },
    get answers() {
      return answers;
    },
  };
}

const againMs = 1_000;

/** A server that is away comes back. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isMakimaError(error) || !error.retryable) throw error;
      await pause(againMs, signal);
    }
  }
}

/** What is asked, what is known about it, and the choices with their numbers. */
export function questionLines(question: Question): readonly string[] {
  const about = question.context === null ? [] : [oneLine(question.context)];
  const choices = question.choices.map((choice, at) => `  ${at + 1}  ${oneLine(choice)}`);
  return [oneLine(question.question), ...about, ...choices];
}

/** Undefined when the prompt was taken away. Answers of nonsense are asked again, with a reason. */
async function ask(
  question: Question,
  { stdin, stderr, interrupt }: PersonOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const columns = stderr.columns || 80;
  const lines = questionLines(question).map((line) => `${wrap(`  ${line}`, columns, 2)}\n`);
  stderr.write(`\n${lines.join('')}`);
  for (let ends = 0; ;) {
    const line = await readLine({ stdin, stderr, interrupt, signal });
    if (line === 'taken away') return undefined;
    if (line === 'end of input') {
      ends += 1;
      if (ends < 3) stderr.write('\n  (Ctrl-C ends the demo)\n');
      else interrupt();
      continue;
    }
    const read = readAnswer(question, line.text);
    if (read.ok) return read.answer;
    stderr.write(`  ${read.why}\n`);
  }
}

type Line = { readonly text: string } | 'taken away' | 'end of input';

function readLine(from: {
  stdin: NodeJS.ReadStream;
  stderr: NodeJS.WriteStream;
  interrupt: () => void;
  signal: AbortSignal;
}): Promise<Line> {
  const { signal } = from;
  if (signal.aborted) return Promise.resolve('taken away');
  const reader = createInterface({ input: from.stdin, output: from.stderr });
  return new Promise<Line>((resolve) => {
    const takeAway = (): void => {
      from.stderr.write('\n');
      resolve('taken away');
    };
    signal.addEventListener('abort', takeAway, { once: true });
    reader.once('SIGINT', from.interrupt);
    reader.once('close', () => resolve('end of input'));
    reader.once('line', (text) => resolve({ text }));
    reader.setPrompt('  your answer: ');
    reader.prompt();
  }).finally(() => reader.close());
}

type Reading =
  | { readonly ok: true; readonly answer: string }
  | { readonly ok: false; readonly why: string };

/** A number names a choice, a yes to a confirmation its first one; other words stand as they are. */
export function readAnswer(
  { choices, questionType }: Pick<Question, 'choices' | 'questionType'>,
  line: string,
): Reading {
  const text = line.trim();
  const numbers = choices.map((_, at) => at + 1).join(' or ');
  const howTo = choices.length === 0 ? 'type some words' : `type ${numbers}, or words of your own`;
  if (text === '') return { ok: false, why: howTo };
  if (questionType !== 'general' && isConfirming(text))
    return { ok: true, answer: choices[0] ?? text };
  if (!/^\d+$/.test(text) || choices.length === 0) return { ok: true, answer: text };
  const chosen = choices[Number(text) - 1];
  if (chosen !== undefined) return { ok: true, answer: chosen };
  return { ok: false, why: `there is no choice ${text}: ${howTo}` };
}
