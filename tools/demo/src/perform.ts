// The demo from an open house to its last line: repository, contract, play, what came of it.
// Law: a contract that has not ended when the demo leaves is ended by it.
import { randomBytes } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import { readRepository } from '@makima/cli/repository';
import type { Client } from '@makima/client/client';
import { pause } from '@makima/client/pause';
import { demoFolder, type House } from './house.ts';
import { demoGoals, demoName, endContract, endLeftovers } from './leftovers.ts';
import type { DemoOptions } from './options.ts';
import { play, type Played } from './play.ts';
import { inWords, testsIn, testsOnBranch, type Verdict } from './proof.ts';
import { git, makeRepository } from './repository.ts';
import type { Ending } from './scene.ts';
import type { Screen } from './screen.ts';
import { mendingScript, noteScript, paces } from './script.ts';
import { visit } from './visitor.ts';

export interface Performance {
  readonly options: DemoOptions;
  readonly house: House;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly interrupt: () => void;
  /** Folder that relative paths begin at. */
  readonly cwd: string;
}

/** The object of `--json`. */
export interface Outcome {
  readonly contract: string;
  readonly status: Ending;
  readonly tasks: number;
  /** Questions that were answered. */
  readonly questions: number;
  readonly restorations: number;
  readonly seconds: number;
  /** On the contract's branch. */
  readonly commits: number;
}

export async function perform(show: Performance): Promise<Outcome> {
  const visitor = await visit(show.house);
  try {
    return await performAs(visitor.client, show);
  } finally {
    await visitor.leave();
  }
}

async function performAs(client: Client, show: Performance): Promise<Outcome> {
  const { options, house, screen, signal } = show;
  const began = performance.now();
  await agentReady(client, options.agent, signal);
  if (house.own) {
    // Another demo may have joined this one's makima before it came here.
    const left = await endLeftovers(client, new Date(performance.timeOrigin));
    if (left > 0)
      screen.say(
        `Ended ${left === 1 ? 'a contract' : `${left} contracts`} that an earlier demo had left behind.`,
      );
  }
  const stage = await setStage(show);
  const contract = await createContract(client, options, { repo: stage.repo, screen });
  screen.fact(
    'contract',
    `${contract.slug} (in another terminal: ./makima watch ${contract.slug})`,
  );
  screen.say('');
  const played = await playToEnd(show, client, contract);
  const branch = `makima/${contract.slug}`;
  const { items } = await client
    .call('listContractTasks', { params: { id: contract.id } })
    .catch(() => ({ items: [] }));
  const commits = played.status === 'completed' ? countCommits(stage.repo, branch) : 0;
  const outcome: Outcome = {
    contract: contract.id,
    status: played.status,
    tasks: items.filter((task) => !task.isSupervisor).length,
    questions: played.questions,
    restorations: played.restorations,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    commits,
  };
  await sayOutcome(show, outcome, { ...stage, branch, slug: contract.slug });
  return outcome;
}

interface Stage {
  readonly repo: string;
  /** Of the repository that the demo made, before anybody works on it. */
  readonly before?: Verdict;
}

async function setStage({ options, house, screen, cwd }: Performance): Promise<Stage> {
  if (options.repo !== undefined) {
    const repo = await ownRepository(options.repo, cwd);
    screen.fact('repository', `${near(repo, cwd)} (your branches are left alone)`);
    return { repo };
  }
  const repo = demoFolder(house.home, randomBytes(4).toString('hex'));
  makeRepository(repo);
  const before = await testsIn(repo);
  screen.fact('repository', near(repo, cwd));
  screen.fact('its tests', `${inWords(before)}: that is what the agents are to mend`);
  return { repo, before };
}

/** A folder of the person's with at least one commit. @throws with what to do about it. */
async function ownRepository(given: string, cwd: string): Promise<string> {
  const place = await readRepository({ env: process.env, cwd }, given, { sameMachine: true });
  if ('localPath' in place) return place.localPath;
  throw new Error(`--repo takes a folder of this machine, not ${given}`);
}

/** A path as somebody in this folder would type it. */
function near(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}

async function createContract(
  client: Client,
  options: DemoOptions,
  { repo, screen }: { repo: string; screen: Screen },
): Promise<{ readonly id: string; readonly slug: string }> {
  const mends = options.repo === undefined;
  const pace = screen.watched ? paces.watched : paces.quick;
  const plan = mends ? mendingScript(pace) : noteScript(pace);
  return client.call('createContract', {
    body: {
      name: demoName,
      description: mends ? demoGoals.mend : demoGoals.notes,
      contractType: 'specification',
      repositories: [{ localPath: repo }],
      phaseGuard: ['plan'],
      autoCompleteEnabled: false,
      agent: options.agent,
      supervisorPlan: options.agent === 'scripted' ? plan : null,
    },
  });
}

/** A contract that is left behind would wait for ever, and keep a place from others. */
async function playToEnd(
  { options, house, screen, signal, interrupt }: Performance,
  client: Client,
  contract: { readonly id: string; readonly slug: string },
): Promise<Played> {
  let played: Played | undefined;
  try {
    played = await play({
      client,
      contract,
      agent: options.agent,
      yes: options.yes,
      screen,
      signal,
      interrupt,
      houseStands: () => house.stands(),
    });
    return played;
  } finally {
    const ended = played !== undefined && over.has(played.status);
    if (!ended && house.stands()) await endContract(client, contract.id, 'its demo ended');
  }
}

const over: ReadonlySet<Ending> = new Set(['completed', 'failed', 'archived']);

function countCommits(repo: string, branch: string): number {
  return Number(git(repo, ['rev-list', '--count', branch, '--']));
}

const endings: Readonly<Record<Exclude<Ending, 'completed'>, string>> = {
  failed: 'The contract failed.',
  archived: 'The contract was put away by somebody else.',
  interrupted: 'Interrupted. The demo has ended its contract.',
  stuck: 'The contract could not go on, so the demo has ended it.',
};

interface Remains extends Stage {
  readonly branch: string;
  readonly slug: string;
}

async function sayOutcome(show: Performance, outcome: Outcome, remains: Remains): Promise<void> {
  const { screen, options, cwd } = show;
  const { status } = outcome;
  const { repo, before, branch, slug } = remains;
  if (status !== 'completed') {
    const isLost = !show.house.stands() && status !== 'interrupted';
    const lost = 'The makima that this demo played in has ended.';
    screen.say(`\n${isLost ? lost : endings[status]}`);
    const isKnown = !isLost && (status === 'failed' || status === 'stuck');
    if (isKnown) screen.fact('more', `./makima why ${slug}`);
    return;
  }
  screen.show(`\n${graphOf(repo, branch, screen.colors)}\n`);
  if (before !== undefined) {
    const after = await testsOnBranch(repo, branch);
    screen.fact('tests', `before: ${inWords(before)}; on ${branch}: ${inWords(after)}`);
  }
  screen.fact('branch', `${branch} in ${near(repo, cwd)}; other branches are as they were`);
  const who = options.yes ? '--yes' : 'you';
  screen.fact(
    'completed',
    `in ${outcome.seconds} s: ${outcome.tasks} tasks, ${outcome.questions} answers by ${who}, killed and restored ${timesInWords(outcome.restorations)}`,
  );
}

function graphOf(repo: string, branch: string, colors: boolean): string {
  const looks = ['--graph', '--oneline', '--decorate', `--color=${colors ? 'always' : 'never'}`];
  return git(repo, ['log', ...looks, '-n', '20', branch, '--']);
}

function timesInWords(times: number): string {
  return times === 1 ? 'once' : `${times} times`;
}

/** The local daemon must be there and have the agent. */
async function agentReady(client: Client, agent: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { items } = await client.call('listDaemons', { signal });
    const connected = items.filter((daemon) => daemon.status === 'connected');
    const found = connected.flatMap((daemon) => daemon.agents).filter((one) => one.kind === agent);
    if (found.some((one) => one.available && one.signedIn !== false)) return;
    const one = found[0];
    if (one !== undefined) {
      const what = one.note ?? (one.available ? 'It is not signed in.' : 'It was not found.');
      throw new Error(
        `${agent} cannot be used here: ${what} Without --agent no account is needed.`,
      );
    }
    if (performance.now() > deadline)
      throw new Error('no daemon has connected within 30 s; see ./makima logs daemon');
    await pause(100, signal);
  }
}
