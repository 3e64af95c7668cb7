/**
 * What the control plane asks a daemon over its socket: sent, and answered within the time of the protocol
 * or not at all.
 *
 * Law: every ask settles; the end of the connection is an answer, too.
 */
import { randomUUID } from 'node:crypto';
import { askTimeoutMs, type ServerAsk } from '@makima/contracts/socket/asks';
import type { DaemonFrame, ServerFrame } from '@makima/contracts/socket/frames';
import { MakimaError } from '@makima/domain/error';

export interface AsksToDaemon {
  /** @throws MakimaError DAEMON_ERROR when it refuses, does not answer in time, or is gone. */
  ask(ask: ServerAsk): Promise<unknown>;
  answered(frame: Extract<DaemonFrame, { type: 'answer' }>): void;
  /** The connection is over: whatever waits is told. */
  drop(): void;
}

const atOnce = 64;

export function asksToDaemon(send: (frame: ServerFrame) => boolean): AsksToDaemon {
  const waiting = new Map<string, PromiseWithResolvers<unknown>>();

  return {
    async ask(ask) {
      if (waiting.size >= atOnce) throw failed('that machine is asked too much at once');
      const askId = randomUUID();
      const answer = Promise.withResolvers<unknown>();
      waiting.set(askId, answer);
      const late = (): void => answer.reject(failed('that machine did not answer in time'));
      const timer = setTimeout(late, askTimeoutMs);
      try {
        if (!send({ type: 'ask', askId, ask })) throw failed('that machine is not connected');
        return await answer.promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(askId);
      }
    },
    answered(frame) {
      const answer = waiting.get(frame.askId);
      if (frame.ok) answer?.resolve(frame.result);
      else answer?.reject(failed(frame.error ?? 'that machine refused'));
    },
    drop() {
      for (const answer of waiting.values()) answer.reject(failed('that machine is gone'));
    },
  };
}

function failed(message: string): MakimaError {
  return new MakimaError('DAEMON_ERROR', message, { retryable: true });
}
