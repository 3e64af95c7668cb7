/**
 * The turns of an agent that speaks ACP: one request (`session/prompt`) at a time, whatever waits goes into the
 * next one. Agents break a running turn off, or fold or lose what comes meanwhile, each in its way; so nothing
 * is given to one that works.
 *
 * Law: a message's id is the key: one that was given is never given again. Each turn has exactly one end, and
 * stands in the record before its end is told.
 */
import type { ClientContext } from '@agentclientprotocol/sdk';
import { limitMs, mayPass } from './acp-failure.ts';
import type { AcpFailure, AcpProfile, NewsReader } from './acp-profile.ts';
import { noTokens } from './acp-profile.ts';
import type { RecordLine } from './acp-record.ts';
import type { AcpStory } from './acp-story.ts';
import type { DialectLink } from './dialect.ts';
import type { AgentMessage } from './driver.ts';
import type { ApiError, Tokens, TurnOutcome } from './events.ts';
import type { Json } from './json.ts';
import { isJson, objectOf, textOf } from './json.ts';

export interface RetryOptions {
  /** Tries after the first one. */
  readonly max: number;
  readonly firstMs: number;
  readonly mostMs: number;
}

export interface AcpTurns {
  /** The agent's session is open: what waits may be given. `preface` is said before the first message. */
  open(
    session: { readonly agent: ClientContext; readonly sessionId: string },
    preface: string,
  ): void;
  message(message: AgentMessage, when: 'now' | 'next' | 'later'): void;
  /** Breaks the running turn off, if one runs. */
  cancel(): void;
  /** Words that the agent must read before its turn is over. */
  remark(text: string): void;
  /** The running turn was broken off by us. */
  isBroken(): boolean;
  /** The agent says something: whatever was tried again has succeeded. */
  answered(): void;
  readonly news: NewsReader;
  /** The process is gone. */
  end(): void;
}

export interface TurnsOptions {
  readonly link: DialectLink;
  readonly profile: Pick<AcpProfile, 'words' | 'usageOf' | 'failureOf' | 'retriedBy'>;
  readonly retry: RetryOptions;
  readonly record: (line: RecordLine) => void;
  readonly story: () => AcpStory;
  /** Ids of messages that the conversation holds. */
  readonly known: Set<string>;
  readonly total: Tokens;
}

interface Turn {
  readonly message: AgentMessage;
  readonly remarks: string[];
  cancelled: boolean;
  /** Why we gave the agent's own tries up. */
  failure: AcpFailure | null;
  retrying: boolean;
  /** Ends the pause before another try. */
  wake: (() => void) | null;
}

interface Desk extends TurnsOptions {
  readonly queue: AgentMessage[];
  readonly totals: { tokens: Tokens };
  session: { readonly agent: ClientContext; readonly sessionId: string } | null;
  preface: string;
  turn: Turn | null;
  over: boolean;
}

export function acpTurns(options: TurnsOptions): AcpTurns {
  const desk: Desk = {
    ...options,
    queue: [],
    totals: { tokens: options.total },
    session: null,
    preface: '',
    turn: null,
    over: false,
  };
  return {
    open(session, preface) {
      desk.session = session;
      desk.preface = preface;
      next(desk);
    },
    message: (message, when) => take(desk, message, when),
    cancel: () => cancel(desk),
    remark: (text) => void desk.turn?.remarks.push(text),
    isBroken: () => desk.turn?.cancelled === true,
    answered() {
      if (desk.turn?.retrying !== true) return;
      desk.turn.retrying = false;
      desk.link.emit({ t: 'state', state: 'working' });
    },
    news: newsReader(desk),
    end() {
      desk.over = true;
      desk.turn?.wake?.();
    },
  };
}

function take(desk: Desk, message: AgentMessage, when: 'now' | 'next' | 'later'): void {
  const { link, queue, turn } = desk;
  const { id } = message;
  if (desk.over) return;
  if (desk.known.has(id) && turn?.message.id !== id) {
    // It stands in the conversation since before.
    link.emit({ t: 'message', id, state: 'done' });
    return;
  }
  link.emit({ t: 'message', id, state: 'queued' });
  if (turn?.message.id === id || queue.some((waiting) => waiting.id === id)) return;
  if (when === 'now') queue.unshift(message);
  else queue.push(message);
  if (when === 'now') cancel(desk);
  next(desk);
}

function next(desk: Desk): void {
  if (desk.session === null || desk.turn !== null || desk.over) return;
  const message = desk.queue.shift();
  if (message === undefined) return;
  const turn: Turn = {
    message,
    remarks: [],
    cancelled: false,
    failure: null,
    retrying: false,
    wake: null,
  };
  desk.turn = turn;
  desk.known.add(message.id);
  desk.record({ t: 'user', id: message.id, text: message.text });
  desk.link.emit({ t: 'message', id: message.id, state: 'delivered' });
  desk.link.emit({ t: 'state', state: 'working' });
  desk.story().begin();
  void run(desk, turn);
}

function cancel({ turn, session }: Desk): void {
  if (turn === null || session === null || turn.cancelled) return;
  turn.cancelled = true;
  if (turn.wake !== null) turn.wake();
  else void session.agent.notify('session/cancel', { sessionId: session.sessionId });
}

const goOn =
  'The model could not be asked for a moment, and your answer was broken off. Go on from there; what your tools have done is done.';

/** One turn, with its further tries and whatever must be remarked before it is over. */
async function run(desk: Desk, turn: Turn): Promise<void> {
  let text = desk.profile.words(turn.message.text);
  if (desk.preface !== '') text = `${desk.preface}\n\n${turn.message.text}`;
  let spent = noTokens;
  for (let tries = 0; ;) {
    const answer = await ask(desk, text);
    if (desk.over) return;
    if ('response' in answer) {
      desk.preface = '';
      spent = plus(spent, desk.profile.usageOf(answer.response));
      const remark = turn.remarks.shift();
      const stopped = textOf(answer.response.stopReason);
      if (turn.failure !== null) return fail(desk, turn, { spent, failure: turn.failure });
      if (remark === undefined || turn.cancelled || stopped === 'cancelled') {
        return finish(desk, turn, { spent, ...endOf(turn, stopped) });
      }
      text = remark;
      continue;
    }
    const failure = turn.failure ?? answer.failure;
    if (turn.cancelled && turn.failure === null) {
      return finish(desk, turn, { spent, outcome: 'interrupted', error: null });
    }
    tries += 1;
    if (!mayTryAgain(desk, failure, tries)) return fail(desk, turn, { spent, failure });
    await pauseBefore(desk, turn, { tries, failure });
    if (desk.over) return;
    if (turn.cancelled) return finish(desk, turn, { spent, outcome: 'interrupted', error: null });
    // What was asked for is forgotten with the request that failed, unless a tool has ended since.
    if (desk.story().finished > 0) text = goOn;
  }
}

type Answer = { readonly response: Json } | { readonly failure: AcpFailure };

async function ask({ session, profile }: Desk, text: string): Promise<Answer> {
  if (session === null) return { failure: profile.failureOf(new Error('No session is open.')) };
  try {
    const prompt = [{ type: 'text' as const, text }];
    const { sessionId } = session;
    const response: unknown = await session.agent.request('session/prompt', { sessionId, prompt });
    return { response: isJson(response) ? response : {} };
  } catch (cause) {
    return { failure: profile.failureOf(cause) };
  }
}

function endOf(
  turn: Turn,
  stopped: string | null,
): { readonly outcome: TurnOutcome; readonly error: ApiError | null } {
  if (turn.cancelled || stopped === 'cancelled') return { outcome: 'interrupted', error: null };
  if (stopped === 'max_turn_requests') return { outcome: 'max_turns', error: null };
  const failed = (kind: ApiError['kind'], message: string) => ({ kind, status: null, message });
  if (stopped === 'max_tokens') {
    return { outcome: 'too_long', error: failed('too_long', 'The conversation is too long.') };
  }
  if (stopped === 'refusal') {
    return { outcome: 'failed', error: failed('invalid', 'The model refused to go on.') };
  }
  return { outcome: 'completed', error: null };
}

function mayTryAgain(desk: Desk, { error, againAtMs }: AcpFailure, tries: number): boolean {
  if (desk.profile.retriedBy !== 'driver' || tries > desk.retry.max) return false;
  return mayPass(error) && !isLimit(againAtMs);
}

const isLimit = (againAtMs: number | null): boolean =>
  againAtMs !== null && againAtMs - Date.now() >= limitMs;

async function pauseBefore(
  { link, retry }: Desk,
  turn: Turn,
  { tries, failure }: { readonly tries: number; readonly failure: AcpFailure },
): Promise<void> {
  const backOffMs = Math.min(retry.firstMs * 2 ** (tries - 1), retry.mostMs);
  const delayMs = Math.max(backOffMs, (failure.againAtMs ?? 0) - Date.now());
  const { error } = failure;
  turn.retrying = true;
  link.emit({ t: 'retry', attempt: tries, max: retry.max, delayMs, error });
  link.emit({ t: 'state', state: 'retrying' });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    turn.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  turn.wake = null;
}

function fail(
  desk: Desk,
  turn: Turn,
  { spent, failure }: { readonly spent: Tokens; readonly failure: AcpFailure },
): void {
  const { error, againAtMs } = failure;
  const limited = error.kind === 'rate_limit' && isLimit(againAtMs);
  if (limited) {
    const window = { window: null, utilization: null, resetsAtMs: againAtMs };
    desk.link.emit({ t: 'limit', status: 'rejected', ...window });
  }
  const outcome = error.kind === 'too_long' ? 'too_long' : 'failed';
  finish(desk, turn, { spent, outcome, error, limited });
}

interface TurnEnd {
  readonly spent: Tokens;
  readonly outcome: TurnOutcome;
  readonly error: ApiError | null;
  readonly limited?: boolean;
}

function finish(desk: Desk, turn: Turn, { spent, outcome, error, limited }: TurnEnd): void {
  const { link, totals } = desk;
  const story = desk.story();
  const text = story.close(outcome === 'interrupted' ? 'aborted' : 'unseen');
  totals.tokens = plus(totals.tokens, spent);
  const { id } = turn.message;
  const { costUsd, contextSize } = story;
  const total = totals.tokens;
  desk.record({ t: 'over', id, outcome, total, costUsd });
  desk.turn = null;
  link.emit({ t: 'usage', turn: spent, total, costUsd, contextSize });
  link.emit({ t: 'turn_end', outcome, text, error, deferred: null });
  link.emit({ t: 'message', id, state: 'done' });
  const waits = desk.queue.length > 0;
  if (!waits) link.emit({ t: 'state', state: limited === true ? 'limited' : 'idle' });
  next(desk);
}

function newsReader(desk: Desk): NewsReader {
  /** The agent would try on for long: the turn is given up. */
  const giveUp = (turn: Turn, failure: AcpFailure): void => {
    turn.failure = failure;
    cancel(desk);
  };
  return {
    retrying({ attempt, message, atMs }) {
      const { turn, retry } = desk;
      if (turn === null || turn.cancelled) return;
      const { error } = desk.profile.failureOf(new Error(message));
      if (isLimit(atMs)) {
        giveUp(turn, { error: { ...error, kind: 'rate_limit' }, againAtMs: atMs });
        return;
      }
      if (attempt > retry.max) return giveUp(turn, { error, againAtMs: null });
      turn.retrying = true;
      const delayMs = Math.max(0, atMs - Date.now());
      desk.link.emit({ t: 'retry', attempt, max: retry.max, delayMs, error });
      desk.link.emit({ t: 'state', state: 'retrying' });
    },
    failed(error) {
      const { turn } = desk;
      if (turn !== null && !turn.cancelled) turn.failure ??= { error, againAtMs: null };
    },
    log: (line) => desk.link.emit({ t: 'log', stream: 'driver', line, cutBytes: 0 }),
  };
}

function plus(a: Tokens, b: Tokens): Tokens {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
  };
}

/** Totals of a conversation, as its record has them. */
export function totalOf(story: readonly RecordLine[]): Tokens {
  const last = story.findLast((line) => line.t === 'over');
  return last === undefined ? noTokens : { ...noTokens, ...objectOf(last.total) };
}
