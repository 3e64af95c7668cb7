/**
 * Asking a daemon something from any process, through the gateway that holds its socket: short, ephemeral,
 * may fail and is asked again. Question and answer lie in Redis for as long as somebody waits.
 *
 * Law: nothing durable depends on it. Without a gateway that listens the asker knows at once, with a silent
 * one after `askTimeoutMs`; an ask is answered by one gateway only.
 */
import { randomUUID } from 'node:crypto';
import { channels } from '@makima/contracts/channels';
import {
  askTimeoutMs,
  serverAskResults,
  zServerAsk,
  type ServerAsk,
} from '@makima/contracts/socket/asks';
import { MakimaError } from '@makima/domain/error';
import type { PubSub, Unsubscribe } from './pubsub.ts';
import type { Bus } from './queues.ts';

export type AskResult<K extends ServerAsk['kind']> = ReturnType<
  (typeof serverAskResults)[K]['parse']
>;

export interface AskOptions {
  readonly daemonId: string;
  readonly signal?: AbortSignal;
  /** Default `askTimeoutMs` of the socket protocol, and a second for the way. */
  readonly timeoutMs?: number;
}

type Stored =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/**
 * Ask and wait for the answer.
 * @throws NO_DAEMON when nobody listens or answers, DAEMON_ERROR when the daemon refuses or answers another
 * shape, DEPENDENCY_UNAVAILABLE without Redis.
 */
export async function askDaemon<K extends ServerAsk['kind']>(
  hub: { readonly bus: Bus; readonly pubsub: PubSub },
  ask: Extract<ServerAsk, { kind: K }>,
  options: AskOptions,
): Promise<AskResult<K>> {
  const { bus, pubsub } = hub;
  const id = randomUUID();
  const timeoutMs = options.timeoutMs ?? askTimeoutMs + 1_000;
  const answered = Promise.withResolvers<void>();
  const unsubscribe = await pubsub.subscribe(channels.askAnswered(id), () => answered.resolve());
  const timer = setTimeout(() => answered.resolve(), timeoutMs);
  const onAbort = (): void => answered.resolve();
  options.signal?.addEventListener('abort', onAbort);
  try {
    const { redis } = bus.inner;
    await redis.set(keyOf(bus, 'ask', id), JSON.stringify(ask), 'PX', timeoutMs);
    const listeners = await redis.publish(channels.daemonAsked(options.daemonId), id);
    if (listeners === 0) throw noDaemon('no gateway holds a connection of that machine');
    await answered.promise;
    options.signal?.throwIfAborted();
    const text = await redis.get(keyOf(bus, 'answer', id));
    if (text === null)
      throw noDaemon(`that machine did not answer within ${Math.ceil(timeoutMs / 1_000)} s`);
    return readAnswer(ask.kind, JSON.parse(text) as Stored);
  } catch (error) {
    throw error instanceof MakimaError || options.signal?.aborted ? error : unreachable(error);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    unsubscribe();
  }
}

export interface AnswerOptions {
  readonly daemonId: string;
  /** Ask the daemon over its socket. What it throws is told to the asker by its message. */
  readonly answer: (ask: ServerAsk) => Promise<unknown>;
}

/** Answer what is asked of a daemon, as long as its socket is here. Returns how to stop. */
export function answerAsks(
  hub: { readonly bus: Bus; readonly pubsub: PubSub },
  options: AnswerOptions,
): Promise<Unsubscribe> {
  const { bus, pubsub } = hub;
  const answerOne = async (id: string): Promise<void> => {
    const { redis } = bus.inner;
    // Taken by whoever comes first, when two gateways believe to hold the daemon.
    const text = await redis.getdel(keyOf(bus, 'ask', id));
    if (text === null) return;
    const stored = await answerOf(options, text);
    await redis.set(keyOf(bus, 'answer', id), JSON.stringify(stored), 'PX', keepAnswerMs);
    pubsub.publish([{ channel: channels.askAnswered(id), body: '' }]);
  };
  return pubsub.subscribe(channels.daemonAsked(options.daemonId), (heard) => {
    if (heard.kind !== 'hint') return;
    answerOne(heard.body).catch((error: unknown) => {
      bus.inner.log.warn(
        { err: error, daemonId: options.daemonId },
        'an ask could not be answered',
      );
    });
  });
}

const keepAnswerMs = 30_000;

async function answerOf(options: AnswerOptions, text: string): Promise<Stored> {
  const ask = zServerAsk.safeParse(JSON.parse(text));
  if (!ask.success) return { ok: false, message: 'the question has an unknown shape' };
  try {
    return { ok: true, value: await options.answer(ask.data) };
  } catch (error) {
    return {
      ok: false,
      message: error instanceof MakimaError ? error.message : 'the machine could not answer',
    };
  }
}

function readAnswer<K extends ServerAsk['kind']>(kind: K, stored: Stored): AskResult<K> {
  if (!stored.ok) throw new MakimaError('DAEMON_ERROR', stored.message, { retryable: true });
  const parsed = serverAskResults[kind].safeParse(stored.value);
  if (parsed.success) return parsed.data as AskResult<K>;
  throw new MakimaError('DAEMON_ERROR', 'the machine answered in an unknown shape');
}

function keyOf(bus: Bus, what: 'ask' | 'answer', id: string): string {
  return `${bus.prefix}:${what}:${id}`;
}

function noDaemon(message: string): MakimaError {
  return new MakimaError('NO_DAEMON', message, { retryable: true, fix: 'makima daemons list' });
}

function unreachable(cause: unknown): MakimaError {
  return new MakimaError('DEPENDENCY_UNAVAILABLE', 'machines cannot be asked now', {
    retryable: true,
    cause,
  });
}
