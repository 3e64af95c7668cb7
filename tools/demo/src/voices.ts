// The agents' own words, in the order in which they and the events came.
// Why: that a restored agent refers to what was said before it was killed can only be heard.
// Law: words are a part of the show: when they cannot be read, the story goes on without them.
import { OutputFeed, type OutputEntry } from '@makima/cli/output-feed';
import { oneLine } from '@makima/cli/plain';
import type { Client } from '@makima/client/client';
import type { Event } from '@makima/contracts/entity/event';
import type { Word } from './screen.ts';

export interface Voices {
  /** Learns from an event who speaks, and who is done. */
  notice(event: Event): void;
  /** What was said since it was last asked for, oldest first; it is not asked for at every call. */
  fresh(): Promise<readonly Word[]>;
}

interface Speaker {
  readonly name: string;
  readonly feed: OutputFeed;
  /** It has ended: it is listened to once more. */
  done: boolean;
}

/** Between two looks: a key may ask only so often. */
const apartMs = 900;

export function createVoices(client: Client): Voices {
  const speakers = new Map<string, Speaker>();
  let askedAt = 0;
  const wordsOf = async (id: string, speaker: Speaker): Promise<readonly Word[]> => {
    const last = speaker.done;
    const entries = await speaker.feed.rest().catch(() => []);
    if (last) speakers.delete(id);
    return entries.filter(isSpeech).map(({ content, at }) => ({
      name: speaker.name,
      text: content,
      at,
    }));
  };
  return {
    notice({ type, taskId, data }) {
      if (taskId === null) return;
      const speaker = speakers.get(taskId);
      if (type === 'task.started' && speaker === undefined) {
        const { name } = data;
        const called = typeof name === 'string' ? oneLine(name) : 'an agent';
        speakers.set(taskId, { name: called, feed: new OutputFeed(client, taskId), done: false });
      }
      if (speaker !== undefined && ends.has(type)) speaker.done = true;
    },
    async fresh() {
      const now = performance.now();
      const somebodyLeaves = [...speakers.values()].some((one) => one.done);
      if (now - askedAt < apartMs && !somebodyLeaves) return [];
      askedAt = now;
      const words = await Promise.all([...speakers].map(([id, one]) => wordsOf(id, one)));
      return words.flat().toSorted((a, b) => a.at.localeCompare(b.at));
    },
  };
}

const ends: ReadonlySet<Event['type']> = new Set([
  'task.completed',
  'task.failed',
  'task.cancelled',
]);

function isSpeech(entry: OutputEntry): boolean {
  return entry.messageType === 'assistant' && !entry.isPartial && entry.content.trim() !== '';
}
