// The agents' own words, and what made a turn of theirs fail.
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
  /** What was said since it was last asked for; it is not asked for at every call. */
  fresh(): Promise<readonly Word[]>;
  /** The same, now. */
  rest(): Promise<readonly Word[]>;
}

interface Speaker {
  readonly name: string;
  readonly feed: OutputFeed;
  /** Its present attempt, and when that was seen to start. */
  readonly since: { readonly attempt: unknown; readonly at: string };
  /** It has ended: it is listened to once more. */
  done: boolean;
}

/** Between two looks for each who speaks: a key may ask only so often in a minute. */
const apartMs = 300;
const apartMinMs = 600;

export function createVoices(client: Client): Voices {
  const speakers = new Map<string, Speaker>();
  let askedAt = 0;
  const wordsOf = async (id: string, speaker: Speaker): Promise<readonly Word[]> => {
    const last = speaker.done;
    const entries = await speaker.feed.rest().catch(() => []);
    if (last) speakers.delete(id);
    return entries.filter(isSpeech).map((entry) => ({
      kind: entry.messageType === 'error' ? 'error' : 'words',
      name: speaker.name,
      text: entry.content,
      at: placeOf(entry, speaker),
    }));
  };
  const rest = async (): Promise<readonly Word[]> => {
    askedAt = performance.now();
    const words = await Promise.all([...speakers].map(([id, one]) => wordsOf(id, one)));
    return words.flat();
  };
  return {
    notice({ type, taskId, data, time }) {
      if (taskId === null) return;
      const speaker = speakers.get(taskId);
      if (type === 'task.started') {
        const since = { attempt: data['attempt'], at: time };
        const feed = speaker?.feed ?? new OutputFeed(client, taskId);
        speakers.set(taskId, { name: nameOf(data), feed, since, done: false });
      }
      if (speaker !== undefined && ends.has(type)) speaker.done = true;
    },
    async fresh() {
      const apart = Math.max(apartMinMs, apartMs * speakers.size);
      return performance.now() - askedAt < apart ? [] : rest();
    },
    rest,
  };
}

const ends: ReadonlySet<Event['type']> = new Set([
  'task.completed',
  'task.failed',
  'task.cancelled',
]);

/** An agent speaks a moment before makima knows that it has started; told, it comes after. */
function placeOf({ attempt, at }: OutputEntry, { since }: Speaker): string {
  return attempt === since.attempt && at < since.at ? since.at : at;
}

function nameOf({ name, isSupervisor }: Event['data']): string {
  if (isSupervisor === true) return 'supervisor';
  return typeof name === 'string' ? oneLine(name) : 'an agent';
}

function isSpeech({ messageType, isPartial, content }: OutputEntry): boolean {
  const tells = messageType === 'assistant' || messageType === 'error';
  return tells && !isPartial && content.trim() !== '';
}
