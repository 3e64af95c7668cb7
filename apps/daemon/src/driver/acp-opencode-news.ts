/**
 * What opencode does not tell over ACP: that it tries again, how long it will wait, and what a failure was. Its
 * own server on loopback, which it opens anyway, tells it as events.
 *
 * Law: read only; when it is not there, nothing but the news is missed.
 */
import { apiErrorKind } from './api-error.ts';
import type { NewsReader } from './acp-profile.ts';
import type { Json } from './json.ts';
import { jsonOf, numberOf, objectOf, textOf } from './json.ts';

export interface OpencodeNewsOptions {
  readonly port: number;
  readonly password: string;
  readonly cwd: string;
  readonly sessionId: string;
  readonly tell: NewsReader;
}

export function opencodeNews(options: OpencodeNewsOptions): { close(): void } {
  const aborter = new AbortController();
  follow(options, aborter.signal).catch((cause: unknown) => {
    if (aborter.signal.aborted) return;
    options.tell.log(`opencode’s own events cannot be read: ${(cause as Error).message}`);
  });
  return { close: () => aborter.abort() };
}

async function follow(options: OpencodeNewsOptions, signal: AbortSignal): Promise<void> {
  const { port, password, cwd } = options;
  const address = `http://127.0.0.1:${port}/event?directory=${encodeURIComponent(cwd)}`;
  const key = Buffer.from(`opencode:${password}`).toString('base64');
  const response = await fetch(address, { signal, headers: { authorization: `Basic ${key}` } });
  if (!response.ok || response.body === null) throw new Error(`it answered ${response.status}`);
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const told = jsonOf(event.replace(/^data: ?/, ''));
      if (told !== null) readNews(options, told);
    }
  }
}

function readNews({ sessionId, tell }: OpencodeNewsOptions, told: Json): void {
  const properties = objectOf(told.properties);
  if (properties.sessionID !== sessionId) return;
  if (told.type === 'session.status') {
    const status = objectOf(properties.status);
    if (status.type !== 'retry') return;
    tell.retrying({
      attempt: numberOf(status.attempt) ?? 1,
      message: textOf(status.message) ?? '',
      atMs: numberOf(status.next) ?? Date.now(),
    });
  } else if (told.type === 'session.error') {
    const error = objectOf(properties.error);
    const data = objectOf(error.data);
    const message = textOf(data.message) ?? textOf(error.name) ?? 'It failed.';
    const status = numberOf(data.statusCode);
    const words = [textOf(error.name), message];
    const tooLong = error.name === 'ContextOverflowError';
    tell.failed({ kind: tooLong ? 'too_long' : apiErrorKind(status, words), status, message });
  }
}
