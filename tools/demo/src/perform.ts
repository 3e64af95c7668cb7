// The demo from an open house to its last line: repository, contract, play, what came of it.
// Law: a contract that has not ended when the demo leaves is ended by it.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '@makima/client/client';
import { pause } from '@makima/client/pause';
import { demoFolder, type House } from './house.ts';
import { demoGoals, demoName, endContract, endLeftovers } from './leftovers.ts';
import type { DemoOptions } from './options.ts';
import { play, type Ending, type Played } from './play.ts';
import { inWords, testsIn, testsOnBranch, type Verdict } from './proof.ts';
import { git, makeRepository } from './repository.ts';
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
    const left = await endLeftovers(client, new Date());
    if (left > 0) screen.say(`ended what ${left} demo(s) before this one had left behind`);
  }
  const stage = await setStage(show);
  const contract = await createContract(client, options, { repo: stage.repo, screen });
  screen.say(`contract    ${contract.slug}, ${house.url}/api/v1/contracts/${contract.id}\n`);
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
    const repo = ownRepository(resolve(cwd, options.repo));
    screen.say(`repository  ${repo} (your branches are left alone)`);
    return { repo };
  }
  const repo = demoFolder(house.home, randomBytes(4).toString('hex'));
  makeRepository(repo);
  const before = await testsIn(repo);
  screen.say(`repository  ${repo}`);
  screen.say(`its tests   ${inWords(before)}: that is what the agents are to mend`);
  return { repo, before };
}

/** A folder of the person's with at least one commit. @throws with what to do about it. */
export function ownRepository(dir: string): string {
  if (!existsSync(dir)) throw new Error(`there is no folder ${dir}`);
  let top: string;
  try {
    top = git(dir, ['rev-parse', '--show-toplevel']);
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    if (/dubious ownership/.test(words))
      throw new Error(
        `git does not trust ${dir}, which belongs to another user: git config --global --add safe.directory '${dir}'`,
      );
    throw new Error(
      `${dir} is not a git repository: git init it and commit something, or leave out --repo`,
    );
  }
  try {
    git(top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  } catch {
    throw new Error(`${top} has no commit yet: commit something there first`);
  }
  return top;
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
  failed: 'the contract failed',
  archived: 'the contract was put away by somebody else',
  interrupted: 'interrupted; the demo has ended its contract',
  sent_back:
    'you sent the result back. A script has no answer to that (a model would go on with your words), so the demo ends here',
  stuck: 'the contract could not go on, so the demo has ended it',
};

async function sayOutcome(
  { screen, options }: Performance,
  outcome: Outcome,
  { repo, before, branch, slug }: Stage & { branch: string; slug: string },
): Promise<void> {
  const { status } = outcome;
  if (status !== 'completed') {
    screen.say(`\n${endings[status]}`);
    if (status === 'failed' || status === 'stuck')
      screen.say(`what is known of it: ./makima why ${slug}`);
    return;
  }
  const graph = git(repo, ['log', '--graph', '--oneline', '--decorate', '-n', '20', branch, '--']);
  screen.say(`\n${graph}\n`);
  if (before !== undefined) {
    const after = await testsOnBranch(repo, branch);
    screen.say(`tests       before: ${inWords(before)}; on ${branch}: ${inWords(after)}`);
  }
  screen.say(`branch      ${branch} of ${repo}; your other branches are as they were`);
  const answered = options.yes ? '--yes' : 'you';
  screen.say(
    `completed   in ${outcome.seconds} s: ${outcome.tasks} tasks, ${outcome.questions} questions answered by ${answered}, ${outcome.restorations} kill survived`,
  );
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
      const what = one.note ?? (one.available ? 'it is not signed in' : 'it was not found');
      throw new Error(
        `${agent} cannot be used on this machine: ${what}. Install it and sign in, or leave out --agent.`,
      );
    }
    if (performance.now() > deadline)
      throw new Error('no daemon has connected within 30 s; see ./makima logs daemon');
    await pause(100, signal);
  }
}
