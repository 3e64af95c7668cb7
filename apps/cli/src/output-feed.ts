/**
 * What an agent wrote, entry by entry, as it comes.
 *
 * Why: `tasks output --follow` and the demo's story read the same feed.
 * Law: every entry is given out once and in order. The feed has no cursor for its end, so the last page is
 * read again and what was given out is passed over.
 */
import type { Answer, Client } from '@makima/client/client';

export type OutputEntry = Answer<'listTaskOutput'>['items'][number];

/** Entries of a task, each given out once. */
export class OutputFeed {
  readonly #client: Client;
  readonly #id: string;
  #after: string | undefined;
  #last = { attempt: 0, seq: -1 };

  constructor(client: Client, id: string) {
    this.#client = client;
    this.#id = id;
  }

  /** Everything that came since the last call. */
  async rest(): Promise<OutputEntry[]> {
    const fresh: OutputEntry[] = [];
    for (;;) {
      const page = await this.#client.call('listTaskOutput', {
        params: { id: this.#id },
        query: { limit: 200, ...(this.#after === undefined ? {} : { after: this.#after }) },
      });
      for (const entry of page.items) {
        if (!this.#isNew(entry)) continue;
        this.#last = { attempt: entry.attempt, seq: entry.seq };
        fresh.push(entry);
      }
      if (page.nextCursor === null) return fresh;
      this.#after = page.nextCursor;
    }
  }

  #isNew(entry: OutputEntry): boolean {
    const { attempt, seq } = this.#last;
    return entry.attempt > attempt || (entry.attempt === attempt && entry.seq > seq);
  }
}
