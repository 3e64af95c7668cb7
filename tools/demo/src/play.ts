// One run of the demo's contract: watched, its supervisor's agent killed once, seen to its end.
// Why: the story that the README promises, through the real API, queues, socket, daemon and git.
// Law: the kill is real (SIGKILL to the agent's process) and happens once; a run always ends: with its
// contract, with the person's Ctrl-C, or because nothing can move any more.
import { followPages } from '@makima/client/follow-events';
import { oneLine } from '@makima/cli/plain';
import type { Client } from '@makima/client/client';
import { pause } from '@makima/client/pause';
import type { Event } from '@makima/contracts/entity/event';
import { killMoment, killProcess } from './kill-moment.ts';
import { createPerson, type Person } from './person.ts';
import type { Screen } from './screen.ts';
import { createStillness } from './stillness.ts';
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

/** How it ended: as the contract did, or before it. */
export type Ending = 'completed' | 'failed' | 'archived' | 'interrupted' | 'sent_back' | 'stuck';

export interface Played {
  readonly status: Ending;
  readonly questions: number;
  readonly restorations: number;
}

const gatherMs = 200;

const ends: Readonly<Record<string, Ending>> = {
  completed: 'completed',
  failed: 'failed',
  archived: 'archived',
};

export async function play(options: Play): Promise<Played> {
  const { client, contract, screen } = options;
  const lost = new AbortController();
  const signal = AbortSignal.any([options.signal, lost.signal]);
  const person = createPerson({
    client,
    contractId: contract.id,
    yes: options.yes,
    screen,
    stdin: process.stdin,
    stderr: process.stderr,
    signal,
    interrupt: options.interrupt,
  });
  const stillness = createStillness({
    client,
    contractId: contract.id,
    agent: options.agent,
    unattended: options.yes,
    say: (line) => screen.say(line),
  });
  const voices = createVoices(client);
  const scene = createScene(options, person);
  const played = (status: Ending): Played => ({
    status,
    questions: person.answers,
    restorations: scene.restorations,
  });
  const pages = followPages(client, {
    contractId: contract.id,
    signal,
    waitSeconds: 2,
    onLost: ({ error, attempt }) => {
      if (attempt === 3) screen.say(`  ... ${oneLine(error.message)}; trying on`);
      if (!options.houseStands()) lost.abort();
    },
    onBack: () => screen.say('  ... makima answers again'),
  });
  for await (const { events } of pages) {
    const words = [...(await voices.fresh())];
    for (const event of events) {
      while (words.length > 0 && words[0]!.at <= event.time) screen.quote(words.shift()!);
      voices.notice(event);
      const end = await scene.show(event);
      if (end !== undefined) return played(end);
    }
    for (const word of words) screen.quote(word);
    if (events.length > 0 || words.length > 0 || person.isAsked) stillness.moved();
    else if (await stillness.isHopeless()) return played('stuck');
    // Several events in one answer: a story of a minute fits well into what a key may ask in one.
    await pause(gatherMs, signal).catch(() => undefined);
  }
  if (lost.signal.aborted) {
    screen.say('the makima that this demo played in has ended');
    return played('stuck');
  }
  return played('interrupted');
}

interface Scene {
  readonly restorations: number;
  /** Shows an event with what belongs to it; answers how the play ended, if it did. */
  show(event: Event): Promise<Ending | undefined>;
}

function createScene({ screen, agent }: Play, person: Person): Scene {
  const moment = killMoment();
  let restorations = 0;
  let killed: number | undefined;
  return {
    get restorations() {
      return restorations;
    },
    async show(event) {
      const { type, data } = event;
      screen.tell(event);
      if (type === 'question.asked') await person.attend();
      if (type === 'question.answered' || type === 'question.cancelled')
        person.settled(String(data['questionId']));
      const victim = moment.after(event);
      if (victim !== undefined) {
        killed = victim;
        screen.shout('bad', [
          `NOW THE DEMO KILLS THE SUPERVISOR'S AGENT:  kill -9 ${victim}`,
          'Nobody tells it. Its tasks go on; it must come back and know what it knew.',
        ]);
        killProcess(victim);
      }
      if (type === 'supervisor.restored') {
        restorations += 1;
        screen.shout('good', [
          `THE SUPERVISOR IS BACK: process ${String(data['pid'])}${killed === undefined ? '' : ` in place of ${killed}`}, epoch ${String(data['epoch'])}`,
          'The same conversation goes on; the killed process could not write a word any more.',
        ]);
      }
      // A script has nothing to answer to that; a model would go on with the person's words.
      if (type === 'question.answered' && person.sentBack && agent === 'scripted')
        return 'sent_back';
      return type === 'contract.status_changed' ? ends[String(data['to'])] : undefined;
    },
  };
}
