// The person of the demo: answers what its contract asks, by hand or by --yes.
// Law: a question is asked once at a time; an answer that came from elsewhere takes the prompt away; what
// cannot be an answer is said, and asked again.
import { createInterface } from 'node:readline/promises';
import type { Client } from '@makima/client/client';
import { pause } from '@makima/client/pause';
import type { Question } from '@makima/contracts/entity/question';
import { isMakimaError } from '@makima/domain/error';
import { isConfirming } from '@makima/domain/question';
import { oneLine } from '@makima/cli/plain';
import type { Screen } from './screen.ts';

export interface Person {
  /** Takes up what is open now; does not wait for the answer of a person. */
  attend(): Promise<void>;
  /** The question was answered or withdrawn, by whomever. */
  settled(questionId: string): void;
  /** A prompt is open. */
  readonly isAsked: boolean;
  /** How many questions this person answered. */
  readonly answers: number;
  /** Whether this person sent the result back at the end. */
  readonly sentBack: boolean;
}

export interface PersonOptions {
  readonly client: Client;
  readonly contractId: string;
  readonly yes: boolean;
  readonly screen: Screen;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  /** Ctrl-C at the prompt. */
  readonly interrupt: () => void;
}

export function createPerson(options: PersonOptions): Person {
  const { client, screen } = options;
  const seen = new Set<string>();
  const queue: Question[] = [];
  let prompt: { readonly id: string; readonly close: AbortController } | undefined;
  let answers = 0;
  let sentBack = false;

  const send = async (question: Question, response: string): Promise<void> => {
    const request = { params: { id: question.id }, body: { response } };
    await patiently(() => client.call('answerQuestion', request), options.signal);
    answers += 1;
    if (question.questionType === 'contract_complete' && !isConfirming(response)) sentBack = true;
  };
  const byHand = async (question: Question): Promise<void> => {
    const close = new AbortController();
    prompt = { id: question.id, close };
    const letGo = screen.hold();
    try {
      const signal = AbortSignal.any([close.signal, options.signal]);
      const response = await ask(question, options, signal);
      if (response !== undefined) await send(question, response);
    } catch (error) {
      sayRefusal(error, screen);
    } finally {
      prompt = undefined;
      letGo();
    }
  };
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await byHand(next);
  };

  return {
    async attend() {
      const query = { contractId: options.contractId, status: 'open' } as const;
      const { items } = await patiently(
        () => client.call('listQuestions', { query }),
        options.signal,
      );
      for (const question of items) {
        if (seen.has(question.id)) continue;
        seen.add(question.id);
        if (options.yes) await byYes(question, send, screen);
        else queue.push(question);
      }
      if (prompt === undefined) void work();
    },
    settled(questionId) {
      if (prompt?.id === questionId) prompt.close.abort();
    },
    get isAsked() {
      return prompt !== undefined;
    },
    get answers() {
      return answers;
    },
    get sentBack() {
      return sentBack;
    },
  };
}

async function byYes(
  question: Question,
  send: (question: Question, response: string) => Promise<void>,
  screen: Screen,
): Promise<void> {
  const response = question.choices[0] ?? 'yes';
  screen.shout('asks', [...questionLines(question), `--yes answers: ${oneLine(response)}`]);
  await send(question, response).catch((error: unknown) => sayRefusal(error, screen));
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

/** Somebody was faster, or what was asked is gone: both are no more than a line. */
function sayRefusal(error: unknown, screen: Screen): void {
  if (!isMakimaError(error)) throw error;
  screen.say(`  ${oneLine(error.message)}`);
}

function questionLines(question: Question): readonly string[] {
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
  stderr.write(
    `\n${questionLines(question)
      .map((line) => `  ${line}\n`)
      .join('')}`,
  );
  for (let ends = 0; ;) {
    const line = await readLine({ stdin, stderr, interrupt, signal });
    if (line === 'taken away') return undefined;
    if (line === 'end of input') {
      ends += 1;
      if (ends < 3) stderr.write('\n  (Ctrl-C ends the demo)\n');
      else interrupt();
      continue;
    }
    const read = readAnswer(question.choices, line.text);
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

/** A number names a choice; other words stand as they are. */
export function readAnswer(choices: readonly string[], line: string): Reading {
  const text = line.trim();
  const numbers = choices.map((_, at) => at + 1).join(' or ');
  const howTo = choices.length === 0 ? 'type some words' : `type ${numbers}, or words of your own`;
  if (text === '') return { ok: false, why: howTo };
  if (!/^\d+$/.test(text) || choices.length === 0) return { ok: true, answer: text };
  const chosen = choices[Number(text) - 1];
  if (chosen !== undefined) return { ok: true, answer: chosen };
  return { ok: false, why: `there is no choice ${text}: ${howTo}` };
}
