/**
 * Telling conversations apart where a house's requests carry no session id: by how they begin (the agent's
 * instructions, which name its working directory, and the first words of the user).
 *
 * Law: the same for every request of a conversation, so that a fault meant for its first request is met once.
 */
import { createHash } from 'node:crypto';
import type { ModelMessage } from './reply.ts';

export function beginningOf(messages: readonly ModelMessage[]): string {
  const firstUser = messages.findIndex(({ role }) => role === 'user');
  const beginning = messages.slice(0, firstUser + 1).map(({ text }) => text);
  return createHash('sha256').update(beginning.join('\n')).digest('hex').slice(0, 16);
}
