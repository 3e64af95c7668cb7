/**
 * Short questions both ways over the socket. They may fail and are asked again by whoever needs the answer.
 *
 * Law: every ask settles: with an answer, a refusal, the end of its connection, or its time limit.
 */
import { MakimaError } from '@makima/domain/error';
import { daemonAskResults, type DaemonAsk, type ServerAsk } from '@makima/contracts/socket/asks';
import { readForward } from '@makima/contracts/socket/forward';
import type { ServerFrameOf } from '@makima/contracts/socket/frames';
import type { z } from 'zod';

export type AskKind = DaemonAsk['kind'];
export type AskResult<K extends AskKind> = z.infer<(typeof daemonAskResults)[K]>;

interface Waiting {
  readonly kind: AskKind;
  readonly settle: PromiseWithResolvers<unknown>;
  readonly timer: NodeJS.Timeout;
}

export interface Asks {
  /**
   * @throws MakimaError `DEPENDENCY_UNAVAILABLE` (retryable: no connection, no answer in time, or nobody
   * there who could give one) or
   * `COMMAND_FAILED` (the server refused; its words are the message).
   */
  ask<K extends AskKind>(ask: Extract<DaemonAsk, { kind: K }>): Promise<AskResult<K>>;
  answered(frame: ServerFrameOf<'answer'>): void;
  /** Answers a question of the server's with what `handle` returns or throws. */
  serve(frame: ServerFrameOf<'ask'>, handle: (ask: ServerAsk) => Promise<unknown>): Promise<void>;
  /** The connection is gone: what was asked over it gets no answer. */
  dropped(): void;
}

export interface AsksOptions {
  /** Sends a frame; false when there is no welcomed connection. */
  readonly send: (text: string) => boolean;
  readonly newId: () => string;
  readonly timeoutMs: number;
}

export function createAsks(options: AsksOptions): Asks {
  const waiting = new Map<string, Waiting>();
  const { timeoutMs } = options;

  const take = (askId: string): Waiting | undefined => {
    const found = waiting.get(askId);
    if (found === undefined) return undefined;
    waiting.delete(askId);
    clearTimeout(found.timer);
    return found;
  };
  const fail = (askId: string, why: string): void => {
    take(askId)?.settle.reject(unavailable(why));
  };

  return {
    ask(ask) {
      const askId = options.newId();
      const settle = Promise.withResolvers<unknown>();
      const timer = setTimeout(() => fail(askId, `no answer in ${timeoutMs} ms`), timeoutMs);
      waiting.set(askId, { kind: ask.kind, settle, timer });
      const sent = options.send(JSON.stringify({ type: 'ask', askId, ask }));
      if (!sent) fail(askId, 'not connected');
      return settle.promise as Promise<AskResult<(typeof ask)['kind']>>;
    },
    answered(frame) {
      const found = take(frame.askId);
      if (found === undefined) return;
      if (!frame.ok) {
        const why = frame.error ?? 'refused';
        found.settle.reject(
          frame.retryable === true ? unavailable(why) : new MakimaError('COMMAND_FAILED', why),
        );
        return;
      }
      const result = readForward<z.ZodType>(daemonAskResults[found.kind], frame.result);
      if (result.ok) found.settle.resolve(result.value);
      else found.settle.reject(unavailable('an answer that does not fit'));
    },
    async serve(frame, handle) {
      const answer = await handle(frame.ask).then(
        (result) => ({ ok: true, result, error: null }),
        (error: unknown) => ({ ok: false, result: null, error: words(error) }),
      );
      options.send(JSON.stringify({ type: 'answer', askId: frame.askId, ...answer }));
    },
    dropped() {
      for (const askId of waiting.keys()) fail(askId, 'the connection was lost');
    },
  };
}

function unavailable(why: string): MakimaError {
  return new MakimaError('DEPENDENCY_UNAVAILABLE', `The control plane did not answer: ${why}.`, {
    retryable: true,
  });
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : 'failed';
}
