/**
 * What daemons ask: the key of an attempt's tool calls, a transcript, a patch, a pack. Answered side by side, a
 * bounded number at once.
 *
 * Law: an ask changes no contract; every ask gets an answer while its socket lives, and a store that is away is
 * no refusal; a key is in the answer and nowhere else.
 */
import { daemonAskResults, type DaemonAsk } from '@makima/contracts/socket/asks';
import { isMakimaError } from '@makima/domain/error';
import { readBranch } from '@makima/engine/daemon/branch';
import { readPack } from '@makima/engine/daemon/pack';
import { readPatch } from '@makima/engine/daemon/patch';
import { readTranscript } from '@makima/engine/daemon/transcript';
import { issueToolKey } from '@makima/engine/identity/issue-tool-key';
import type { ServerFrameOf } from '@makima/contracts/socket/frames';
import type { Line } from './line.ts';
import { isAway } from './patience.ts';

export interface DaemonAsks {
  push(askId: string, ask: DaemonAsk): void;
  idle(): Promise<void>;
}

const atOnce = 16;

export function answerDaemon(line: Line): DaemonAsks {
  const running = new Set<Promise<void>>();

  const answer = async (askId: string, ask: DaemonAsk): Promise<void> => {
    try {
      const result = daemonAskResults[ask.kind].parse(await resultOf(line, ask));
      line.send({ type: 'answer', askId, ok: true, result, error: null });
    } catch (error) {
      if (!isMakimaError(error)) line.log.error({ err: error, ask: ask.kind }, 'an ask failed');
      line.send({ ...refusal(askId, words(error)), ...(isAway(error) ? askAgain : {}) });
    }
  };
  return {
    push(askId, ask) {
      if (running.size >= atOnce) {
        const error = 'too many questions at once, ask again';
        line.send({ ...refusal(askId, error), ...askAgain });
        return;
      }
      const one = answer(askId, ask);
      running.add(one);
      void one.finally(() => running.delete(one));
    },
    idle: async () => void (await Promise.all(running)),
  };
}

function resultOf(line: Line, ask: DaemonAsk): Promise<unknown> {
  switch (ask.kind) {
    case 'tool-key':
      return issueToolKey(line.engine, line.daemon, ask);
    case 'transcript':
      return readTranscript(line.engine, line.daemon, ask);
    case 'patch':
      return readPatch(line.engine, line.daemon, ask);
    case 'pack':
      return readPack(line.engine, line.daemon, ask);
    case 'branch':
      return readBranch(line.engine, line.daemon, ask);
  }
}

const askAgain = { retryable: true } as const;

function refusal(askId: string, error: string): ServerFrameOf<'answer'> {
  return { type: 'answer', askId, ok: false, result: null, error };
}

function words(error: unknown): string {
  return isMakimaError(error) ? error.message : 'the control plane could not answer';
}
