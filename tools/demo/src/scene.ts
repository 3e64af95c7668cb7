// What each event of the contract brings about: the kill, questions, lines of the story, the end.
// Law: what has to be done is done when the event comes; what is to be seen is seen in its place.
import { oneLine } from '@makima/cli/plain';
import type { Event } from '@makima/contracts/entity/event';
import type { Question } from '@makima/contracts/entity/question';
import { killAgent, killMoment } from './kill-moment.ts';
import { questionLines, type Person } from './person.ts';
import type { Screen } from './screen.ts';
import type { Timeline } from './timeline.ts';
import { createYes } from './yes.ts';

/** How it ended: as the contract did, or before it. */
export type Ending = 'completed' | 'failed' | 'archived' | 'interrupted' | 'stuck';

export interface Scene {
  readonly restorations: number;
  /** Takes an event as it comes; answers how the play ended, if it did. */
  take(event: Event): Promise<Ending | undefined>;
}

export interface SceneOptions {
  readonly agent: string;
  /** Answers are given, not asked for. */
  readonly yes: boolean;
  readonly screen: Screen;
  readonly person: Person;
  readonly timeline: Timeline;
}

const ends: Readonly<Record<string, Ending>> = {
  completed: 'completed',
  failed: 'failed',
  archived: 'archived',
};

export function createScene(options: SceneOptions): Scene {
  const { screen, person, timeline } = options;
  const kill = createKill(options);
  const yes = createYes();
  let restorations = 0;

  const meet = async (question: Question, at: string): Promise<Ending | undefined> => {
    if (!options.yes) {
      timeline.event(at, () => person.ask(question));
      return undefined;
    }
    const response = yes(question);
    if (response === undefined) return 'stuck';
    const lines = [...questionLines(question), `--yes answers: ${oneLine(response)}`];
    timeline.event(at, () => screen.shout('asks', lines));
    await person.answer(question, response);
    return undefined;
  };

  return {
    get restorations() {
      return restorations;
    },
    async take(event) {
      const { type, data, time } = event;
      timeline.event(time, () => screen.tell(event));
      kill.after(event);
      if (type === 'supervisor.restored') restorations += 1;
      if (type === 'question.answered' || type === 'question.cancelled')
        person.settled(String(data['questionId']));
      if (type === 'question.asked') {
        for (const question of await person.fresh()) {
          const end = await meet(question, time);
          if (end !== undefined) return end;
        }
      }
      // A script whose turn is over does nothing any more, whatever makima reminds it of.
      if (options.agent === 'scripted' && data['source'] === 'nudge') return 'stuck';
      return type === 'contract.status_changed' ? ends[String(data['to'])] : undefined;
    },
  };
}

/** The kill, and the way back from it. */
function createKill({ screen, timeline }: SceneOptions): { after(event: Event): void } {
  const moment = killMoment();
  let killed: number | undefined;
  return {
    after(event) {
      const { type, data, time } = event;
      const victim = moment.after(event);
      if (victim !== undefined && killAgent(victim)) {
        killed = victim.pid;
        const lines = [
          `NOW THE DEMO KILLS THE SUPERVISOR'S AGENT:  kill -9 ${victim.pid}`,
          'Nobody tells makima. The tasks go on; the supervisor must come back by itself.',
        ];
        timeline.event(time, () => screen.shout('bad', lines));
      } else if (victim !== undefined) {
        const line = `  process ${victim.pid} is not an agent of this machine, so nobody is killed`;
        timeline.event(time, () => screen.say(line));
      }
      if (type !== 'supervisor.restored') return;
      const before = killed === undefined ? '' : ` in place of ${killed}`;
      const lines = [
        `THE SUPERVISOR IS BACK: process ${String(data['pid'])}${before}, epoch ${String(data['epoch'])}`,
        'The same conversation goes on; whatever the killed process still had to say is void.',
      ];
      timeline.event(time, () => screen.shout('good', lines));
    },
  };
}
