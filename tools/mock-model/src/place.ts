/**
 * Finds a request's place: the newest marker `[[script:name]]` in what a user said names the script, the
 * assistant turns since then are the step. Nothing is kept between requests, so resumed and forked
 * conversations simply work.
 *
 * Law: a marker that the agent merely quotes from a tool's output does not count.
 */
import type { ModelMessage } from './reply.ts';

const marker = /\[\[script:([\w-]+)\]\]/g;

export function placeOf(messages: readonly ModelMessage[]): {
  script: string | null;
  step: number;
} {
  let script: string | null = null;
  let at = -1;
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'user') continue;
    const named = [...message.text.matchAll(marker)].at(-1)?.[1];
    if (named === undefined) continue;
    script = named;
    at = index;
  }
  let step = 0;
  let before: ModelMessage['role'] = 'user';
  for (const message of messages.slice(at + 1)) {
    if (message.role === 'assistant' && before !== 'assistant') step += 1;
    before = message.role;
  }
  return { script, step };
}
