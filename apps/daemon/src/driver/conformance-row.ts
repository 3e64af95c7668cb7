/**
 * Cases that one agent plays in a row, each as a further request of the same conversation.
 *
 * Why: a real agent takes seconds of processor time to begin, and most cases ask nothing of its beginning.
 * Law: a case sees nothing of the ones before it: not their events, files, commits or tool calls. Who failed, is
 * still at work, or can be asked only once plays no further case; the next one has an agent of its own.
 */
import type { Candidate, Deed, OpenStage, Stage, Subject, Watched } from './conformance-stage.ts';
import { git, said, setStage, spokenIn } from './conformance-stage.ts';
import type { StartSpec } from './driver.ts';

/** A case: the stage, and the agent, which has just been asked. */
export type RowCase = (stage: Stage & { readonly agent: Watched }) => Promise<void>;

/** What is asked for, in the words of the stage's agent. */
export type Ask = (subject: Subject) => string;

export const deed =
  (name: Deed): Ask =>
  (subject) =>
    subject.prompt(name);

export interface Row {
  /** Asks for something and plays a case. */
  play(ask: Ask, rowCase: RowCase): Promise<void>;
  readonly close: () => Promise<void>;
}

interface Standing extends OpenStage {
  readonly agent: Watched;
  readonly firstCommit: string;
}

/** @param spec How the agent of the row is started. */
export function rowOf(candidate: Candidate, spec: Partial<StartSpec> = {}): Row {
  // A kind that asks no model reads its work in its first prompt.
  const isAskedOnce = candidate.faults === null;
  let standing: Standing | null = null;
  let isPlaying = false;
  const close = async (): Promise<void> => {
    const over = standing;
    standing = null;
    await over?.clear();
  };
  return {
    close,
    async play(ask, rowCase) {
      // A case that was given up goes on, with an agent that nobody else may have.
      if (isPlaying) await close();
      isPlaying = true;
      const before = standing;
      standing ??= await begin(candidate, spec, ask);
      const { stage, agent } = standing;
      let isDone = false;
      try {
        const seen = before === null ? agent : await askAgain(before, ask);
        await rowCase({ ...stage, agent: seen });
        isDone = true;
      } finally {
        // One that was given up and ends now finds its agent gone, and another's in its place.
        if (standing?.agent === agent) {
          isPlaying = false;
          if (!isDone || isAskedOnce || !isAtRest(agent)) await close();
        }
      }
    },
  };
}

async function begin(candidate: Candidate, spec: Partial<StartSpec>, ask: Ask): Promise<Standing> {
  const open = await setStage(candidate);
  const { start, subject, repo, startMs } = open.stage;
  try {
    const firstCommit = git(repo, 'rev-parse', 'HEAD');
    const limits = { startMs, ...spec.limits };
    const agent = await start({ ...spec, limits, prompt: said(ask(subject)) });
    return { ...open, agent, firstCommit };
  } catch (cause) {
    await open.clear();
    throw cause;
  }
}

/** The next request, in a repository as it was at first. Returns the agent as it is seen from here on. */
async function askAgain(
  { stage: { repo, subject, tools }, agent, firstCommit }: Standing,
  ask: Ask,
): Promise<Watched> {
  await agent.until('state', ({ state }) => state === 'idle', lastOf(agent, 'turn_end'));
  git(repo, 'reset', '-q', '--hard', firstCommit);
  git(repo, 'clean', '-q', '-f', '-d', '-x');
  tools.forget();
  const after = agent.events.at(-1)?.seq ?? 0;
  await agent.session.send(said(ask(subject)));
  return since(agent, after);
}

const lastOf = (agent: Watched, t: 'turn_end'): number =>
  agent.events.findLast((event) => event.t === t)?.seq ?? 0;

/** Nothing is asked of it any more, and it can be asked. */
function isAtRest({ events }: Watched): boolean {
  const last = events.findLast(({ t }) => t === 'state' || t === 'turn_end' || t === 'exit');
  return last?.t === 'turn_end' || (last?.t === 'state' && last.state === 'idle');
}

/** The agent without what it told up to an event. */
function since(agent: Watched, seq: number): Watched {
  const of: Watched['of'] = (t) =>
    agent.of(t).filter((event) => (event as unknown as { seq: number }).seq > seq);
  return {
    session: agent.session,
    get events() {
      return agent.events.filter((event) => event.seq > seq);
    },
    of,
    said: () => spokenIn(of),
    until: (t, fits, after = seq) => agent.until(t, fits, after),
  };
}
