/**
 * Steps that speak, wait, and misbehave on purpose.
 *
 * Law: whatever waits gives way to an interrupt, except a `hang` that is declared deaf.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Handler, StepContext } from './host.ts';
import { TurnOver } from './host.ts';
import { readMail } from './mail.ts';
import { stepId } from './progress.ts';
import { asTool } from './tool-call.ts';
import { numberOf, optionalText, StepFailure, textOf, textsOf } from './values.ts';

/** Longer texts are streamed in pieces of this length first, as real agents do. */
const pieceLength = 80;

export const say: Handler = {
  async perform({ host, key, args }) {
    const text = textOf(args, 'text');
    const messageId = stepId('msg', host.start.sessionId, key);
    const common = { t: 'text' as const, messageId, thinking: false, parentTool: null };
    for (let at = 0; text.length > pieceLength && at < text.length; at += pieceLength) {
      host.emit({ ...common, text: text.slice(at, at + pieceLength), delta: true });
    }
    host.ledger.note('line', { key, text: text.slice(0, 500) });
    host.conversation.append({ t: 'said', text });
    host.emit({ ...common, text, delta: false });
    return null;
  },
};

export const set: Handler = { perform: async ({ args }) => args.value };

export const sleep: Handler = {
  perform(context) {
    const ms = numberOf(context.args, 'ms');
    const face = { name: 'sleep', kind: 'other' as const, title: `sleep ${ms} ms`, input: { ms } };
    return asTool(context, face, async () => {
      await pause(ms, undefined, { signal: context.signal });
      return null;
    });
  },
};

export const waitMessage: Handler = {
  perform(context) {
    const containing = optionalText(context.args, 'containing') ?? '';
    const limitMs =
      context.args.timeout_ms === undefined ? null : numberOf(context.args, 'timeout_ms');
    const face = {
      name: 'wait_message',
      kind: 'other' as const,
      title: 'waits for a message',
      input: { containing },
    };
    return asTool(context, face, () => awaitLetter(context, containing, limitMs));
  },
};

async function awaitLetter(
  { host, signal }: StepContext,
  containing: string,
  limitMs: number | null,
): Promise<unknown> {
  const late = limitMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  for (;;) {
    readMail(host);
    const letter = host.mailbox.oldest(containing);
    if (letter !== null) return { id: letter.id, text: letter.text };
    if (late.aborted) break;
    await Promise.race([host.mailbox.arrival({ between: false }), aborted(late)]);
  }
  signal.throwIfAborted();
  throw new StepFailure(`No message came in ${limitMs} ms.`);
}

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export const question: Handler = {
  async perform({ host, key, args, signal }) {
    const requestId = stepId('ask', host.start.sessionId, key);
    const choices = args.choices === undefined ? [] : textsOf(args, 'choices');
    const header = optionalText(args, 'header');
    host.emit({
      t: 'question',
      requestId,
      toolId: stepId('toolu', host.start.sessionId, key),
      questions: [
        {
          id: 'q0',
          text: textOf(args, 'text'),
          options: choices.map((label) => ({ label })),
          multi: args.multi === true,
          free: true,
          ...(header === undefined ? {} : { header }),
        },
      ],
    });
    host.emit({ t: 'state', state: 'waiting_input' });
    try {
      const answers = await host.answerTo(requestId, signal);
      const chosen = answers.q0 ?? [];
      return { response: chosen.join(', '), chosen };
    } catch (cause) {
      host.emit({ t: 'request_cancelled', requestId });
      throw cause;
    } finally {
      host.emit({ t: 'state', state: 'working' });
    }
  },
};

export const crash: Handler = {
  async perform({ args, begunBefore }) {
    const once = args.once !== false;
    if (once && begunBefore) return null;
    process.exit(137);
  },
};

export const hang: Handler = {
  async perform({ host, args, signal }) {
    if (args.deaf !== true) {
      await aborted(signal);
      return null;
    }
    host.goDeaf();
    setInterval(() => undefined, 60_000);
    return new Promise<never>(() => undefined);
  },
};

export const fail: Handler = {
  async perform({ args }) {
    throw new StepFailure(textOf(args, 'message'));
  },
};

const defaultResetMs = 3_600_000;

export const limit: Handler = {
  async perform({ host, args, begunBefore }) {
    // The limit is met once; who comes back after it finds it lifted.
    if (begunBefore) return null;
    const resetsAtMs = Date.now() + numberOf(args, 'resets_in_ms', defaultResetMs);
    host.emit({ t: 'limit', status: 'rejected', window: 'scripted', utilization: 1, resetsAtMs });
    const message = `Usage limit reached; resets at ${new Date(resetsAtMs).toISOString()}.`;
    throw new TurnOver('failed', message, { kind: 'rate_limit', status: 429, message });
  },
};

export const done: Handler = {
  async perform({ args }) {
    throw new TurnOver('completed', optionalText(args, 'summary') ?? '');
  },
};
