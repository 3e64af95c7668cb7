/**
 * The scripted agent on the stage of the conformance suite, for its own tests.
 *
 * Law: real processes; whatever a play started is gone when it is over.
 */
import { join } from 'node:path';
import type { Candidate, Stage, Watched } from '../driver/conformance-stage.ts';
import { onStage, said } from '../driver/conformance-stage.ts';
import { scriptedDriver } from '../driver/scripted.ts';

const candidate: Candidate = {
  name: 'scripted',
  faults: null,
  hello: { tokens: null, costUsd: 0 },
  limited: null,
  snare: null,
  open: (home) => ({
    driver: scriptedDriver({
      sessionsDir: join(home, 'sessions'),
      environment: { PATH: process.env.PATH, HOME: home },
    }),
    prompt: (deed) => deed,
  }),
};

/** A plan with that script in it. */
export const plan = (script: string) => said(`Do it.\n\n\`\`\`makima-script\n${script}\n\`\`\`\n`);
export const play = (body: (stage: Stage) => Promise<void>) => onStage(candidate, body);
/** What it said, whole. */
export const texts = (agent: Watched) =>
  agent
    .of('text')
    .filter((event) => !event.delta)
    .map((event) => event.text);

export async function endOf(agent: Watched) {
  return agent.until('turn_end');
}
