// One run of the demo's contract: watched, its supervisor's agent killed once, seen to its end.
// Why: the story that the README promises, through the real API, queues, socket, daemon and git.
// Law: a run always ends: with its contract, with the person's Ctrl-C, or because nothing can move any more.
import { oneLine } from '@makima/cli/plain';
import type { Client } from '@makima/client/client';
import { followPages } from '@makima/client/follow-events';
import { pause } from '@makima/client/pause';
import { createPerson } from './person.ts';
import { createScene, type Ending } from './scene.ts';
import type { Screen, Word } from './screen.ts';
import { createStillness } from './stillness.ts';
import { createTimeline } from './timeline.ts';
import { createVoices } from './voices.ts';

export interface Play {
  readonly client: Client;
  readonly contract: { readonly id: string; readonly slug: string };
  readonly agent: string;
  readonly yes: boolean;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly interrupt: () => void;
  /** Whether the makima that it plays in is there still. */
  readonly houseStands: () => boolean;
}

export interface Played {
  readonly status: Ending;
  readonly questions: number;
  readonly restorations: number;
}

/** Several events in one answer: a key may ask only so often in a minute. */
const gatherMs = 200;
const tellMs = 100;
/** Longer than words take from an agent to here. */
const settleMs = 1_500;

export async function play(options: Play): Promise<Played> {
  const { client, contract, screen, agent, yes, interrupt } = options;
  const lost = new AbortController();
  const signal = AbortSignal.any([options.signal, lost.signal]);
  const about = { client, contractId: contract.id };
  const timeline = createTimeline({ settleMs, nowMs: () => performance.now() });
  const voices = createVoices(client);
  const { stdin, stderr } = process;
  const person = createPerson({ ...about, screen, stdin, stderr, signal, interrupt });
  const scene = createScene({ agent, yes, screen, person, timeline });
  const say = (line: string): void => screen.say(line);
  const stillness = createStillness({ ...about, agent, unattended: yes, say });

  const gather = async (): Promise<Ending> => {
    for await (const { events } of pagesOf(options, { signal, lose: () => lost.abort() })) {
      for (const event of events) {
        voices.notice(event);
        const end = await scene.take(event);
        if (end !== undefined) return end;
      }
      if (events.length > 0 || person.isAsked) stillness.moved();
      else if (await stillness.isHopeless()) return 'stuck';
      await pause(gatherMs, signal).catch(() => undefined);
    }
    return lost.signal.aborted ? 'stuck' : 'interrupted';
  };
  const hear = (words: readonly Word[]): void => {
    if (words.length > 0) stillness.moved();
    for (const word of words) timeline.word(word.at, () => screen.quote(word));
  };
  const tell = async (end: AbortSignal): Promise<void> => {
    while (!end.aborted) {
      hear(await voices.fresh());
      timeline.play();
      await pause(tellMs, end).catch(() => undefined);
    }
    if (!signal.aborted) hear(await voices.rest());
    timeline.end();
  };

  const ended = new AbortController();
  const [status] = await Promise.all([gather().finally(() => ended.abort()), tell(ended.signal)]);
  return { status, questions: person.answers, restorations: scene.restorations };
}

function pagesOf(
  { client, contract, screen, houseStands }: Play,
  { signal, lose }: { signal: AbortSignal; lose: () => void },
): ReturnType<typeof followPages> {
  return followPages(client, {
    contractId: contract.id,
    signal,
    waitSeconds: 2,
    onLost: ({ error, attempt }) => {
      if (attempt === 3) screen.say(`  ... ${oneLine(error.message)}; trying on`);
      if (!houseStands()) lose();
    },
    onBack: () => screen.say('  ... makima answers again'),
  });
}
