/**
 * What a person can do about a contract that does not take what they asked of it, by how it stands.
 *
 * Law: a command that works on it as it is; nothing waits in one that has ended.
 */
import type { ContractRow } from '@makima/db/rows';

export function nextStep({ status, slug }: Pick<ContractRow, 'status' | 'slug'>): string {
  switch (status) {
    case 'created':
      return `start it: makima contracts start ${slug}`;
    case 'paused':
    case 'blocked':
      return `let it go on: makima contracts resume ${slug}`;
    case 'completed':
    case 'failed':
    case 'archived':
      return `it has ended; what became of it: makima contracts show ${slug}   Another one: makima run`;
    case 'active':
    case 'waiting_for_input':
    case 'completing':
      return `see what it waits for: makima why ${slug}`;
  }
}
