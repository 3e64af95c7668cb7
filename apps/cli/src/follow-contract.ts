/**
 * The story of a contract until it ends, and how it ended.
 *
 * Law: events are hints; what the contract is is read from the contract, and only when the story has caught
 * up, so that an old story never decides about today. Ctrl-C leaves the contract alone.
 */
import type { Client } from '@makima/client/client';
import type { Contract } from '@makima/contracts/entity/contract';
import type { EventType } from '@makima/contracts/entity/event';
import { exitCodes } from './exit-code.ts';
import { oneLine } from './plain.ts';
import type { Shell } from './shell.ts';
import { storyContext, storyLine, type StoryContext } from './story.ts';

export interface FollowContractOptions {
  readonly id: string;
  /** Leave out what happened before now. */
  readonly onlyNew: boolean;
}

/** Tells the story and gives the exit code: 0 completed, 5 failed, 8 waits for a person, 130 Ctrl-C. */
export async function followContract(
  shell: Shell,
  client: Client,
  options: FollowContractOptions,
): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const ended = await untilEnd(shell, client, { ...options, signal: stop.signal });
    return ended ?? detached(shell, options.id);
  } catch (error) {
    if (stop.signal.aborted) return detached(shell, options.id);
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function detached(shell: Shell, id: string): number {
  shell.say(`\ndetached; the contract goes on. Back to it: makima watch ${id}`);
  return exitCodes.interrupted;
}

/** After these the contract may have ended, or wait. */
const telling: ReadonlySet<EventType> = new Set<EventType>([
  'contract.status_changed',
  'contract.completed',
  'contract.failed',
  'contract.guard_refused',
  'question.asked',
  'question.redelivered',
  'supervisor.blocked',
]);

type Following = FollowContractOptions & { readonly signal: AbortSignal };

/** The exit code, or undefined when the signal ended it. */
async function untilEnd(
  shell: Shell,
  client: Client,
  options: Following,
): Promise<number | undefined> {
  const { followPages } = await import('@makima/client/follow-events');
  const story = storyContext(shell.screen, { showContract: false });
  await learnNames(client, options, story);
  const pages = followPages(client, {
    contractId: options.id,
    signal: options.signal,
    ...(options.onlyNew ? { after: 'now' } : {}),
    onLost: ({ error, attempt }) => {
      if (attempt === 3) shell.say(`${oneLine(error.message)}; waiting for it`);
    },
    onBack: () => shell.say('the server is back'),
  });
  // Before the first page is told, nothing is known: the contract may have ended long ago.
  let look = true;
  for await (const page of pages) {
    for (const event of page.events) {
      if (shell.format === 'json') shell.jsonLine(event);
      else shell.print(storyLine(event, story));
      look ||= telling.has(event.type);
    }
    if (!page.caughtUp || !(look || page.events.length === 0)) continue;
    look = false;
    const contract = await client.call('getContract', {
      params: { id: options.id },
      signal: options.signal,
    });
    const exitCode = await judge(shell, client, contract);
    if (exitCode !== undefined) return exitCode;
  }
  return undefined;
}

/** A story that begins in the middle tells of tasks whose names came before. */
async function learnNames(client: Client, options: Following, story: StoryContext): Promise<void> {
  if (!options.onlyNew) return;
  const { items } = await client.call('listContractTasks', { params: { id: options.id } });
  for (const task of items) story.taskNames.set(task.id, oneLine(task.name));
}

async function judge(
  shell: Shell,
  client: Client,
  contract: Contract,
): Promise<number | undefined> {
  const exitCode = outcomeOf(contract, { personIsHere: shell.screen.isTty });
  if (exitCode === undefined) return undefined;
  if (shell.format === 'json') {
    const { id, slug, status, waitingFor, failureReason } = contract;
    shell.jsonLine({ contract: id, slug, status, waitingFor, failureReason, exitCode });
  } else if (exitCode === exitCodes.waitsForPerson) await sayWhatWaits(shell, client, contract);
  else shell.say(endOf(contract));
  return exitCode;
}

/** Undefined while it goes on. A person at the terminal can answer, so there it goes on. */
export function outcomeOf(
  contract: Contract,
  options: { personIsHere: boolean },
): number | undefined {
  switch (contract.status) {
    case 'completed':
      return exitCodes.ok;
    case 'failed':
      return exitCodes.endedBadly;
    case 'archived':
      return contract.failureReason === null ? exitCodes.ok : exitCodes.endedBadly;
    case 'waiting_for_input':
    case 'blocked':
    case 'paused':
      return options.personIsHere ? undefined : exitCodes.waitsForPerson;
    case 'created':
    case 'active':
    case 'completing':
      return undefined;
  }
}

function endOf(contract: Contract): string {
  const reason = contract.failureReason === null ? '' : `: ${oneLine(contract.failureReason)}`;
  return `${contract.slug} is ${contract.status}${reason}`;
}

async function sayWhatWaits(shell: Shell, client: Client, contract: Contract): Promise<void> {
  const { items } = await client.call('listQuestions', {
    query: { status: 'open', contractId: contract.id },
  });
  shell.say(`${contract.slug} waits for a person (${contract.status.replaceAll('_', ' ')})`);
  for (const question of items) {
    shell.say(`  ! ${oneLine(question.question)}`);
    shell.say(`    makima answer ${question.id} <answer>`);
  }
  if (items.length === 0) shell.say(`    makima why ${contract.slug}`);
}
