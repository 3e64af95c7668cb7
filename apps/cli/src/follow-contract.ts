/**
 * The story of a contract until it ends, and how it ended.
 *
 * Law: events are hints; what the contract is is read from the contract, and only when the story has caught
 * up, so that an old story never decides about today. Ctrl-C leaves the contract alone.
 */
import type { Client } from '@makima/client/client';
import type { ContractDetail } from '@makima/contracts/entity/contract';
import type { Event, EventType } from '@makima/contracts/entity/event';
import type { EventPage, FollowOptions } from '@makima/client/follow-events';
import { exitCodes } from './exit-code.ts';
import { outcomeOf, sayEnd } from './contract-outcome.ts';
import { oneLine } from './plain.ts';
import type { Shell } from './shell.ts';
import { watchStandstill, type StandstillWatch } from './standstill.ts';
import { isChatter, storyAct, storyContext, storyLine } from './story.ts';
import type { StoryContext } from './story-context.ts';

export interface FollowContractOptions {
  readonly id: string;
  /** What a person types for it: how they called it, or its slug. */
  readonly typed: string;
  /** Leave out what happened before now. */
  readonly onlyNew: boolean;
  /** Tell the book-keeping too. JSON always has every event. */
  readonly verbose: boolean;
  /** Follow it for so long at most. */
  readonly timeoutSeconds: number | undefined;
}

/**
 * Tells the story and gives the exit code: 0 completed, 3 the time is over, 5 failed, 8 waits for a person,
 * 130 Ctrl-C.
 */
export async function followContract(
  shell: Shell,
  client: Client,
  options: FollowContractOptions,
): Promise<number> {
  const stop = new AbortController();
  let left: number = exitCodes.interrupted;
  const leave = (exitCode: number) => (): void => {
    if (!stop.signal.aborted) left = exitCode;
    stop.abort();
  };
  const interrupt = leave(exitCodes.interrupted);
  process.once('SIGINT', interrupt);
  const stuck = leave(exitCodes.waitsForPerson);
  const still = watchStandstill(shell, client, {
    id: options.id,
    signal: stop.signal,
    // A person at the terminal has been told, and can act.
    onStuck: () => (shell.screen.isTty ? undefined : stuck()),
  });
  const { timeoutSeconds } = options;
  const timer =
    timeoutSeconds === undefined
      ? undefined
      : setTimeout(leave(exitCodes.cancelled), Math.min(timeoutSeconds * 1_000, longestTimerMs));
  try {
    const ended = await untilEnd(shell, client, { ...options, signal: stop.signal, still });
    return ended ?? (await leftIt(shell, client, options, left));
  } catch (error) {
    if (stop.signal.aborted) return leftIt(shell, client, options, left);
    throw error;
  } finally {
    clearTimeout(timer);
    still.stop();
    process.off('SIGINT', interrupt);
  }
}

/** What a timer of Node can wait. */
const longestTimerMs = 2 ** 31 - 1;

/** The following ended before the contract did. */
async function leftIt(
  shell: Shell,
  client: Client,
  { id, typed, timeoutSeconds }: FollowContractOptions,
  exitCode: number,
): Promise<number> {
  if (shell.format === 'json' && exitCode !== exitCodes.interrupted) {
    const contract = await client.call('getContract', { params: { id } });
    await sayEnd(shell, client, { contract, exitCode });
  }
  const why: Readonly<Record<number, string>> = {
    [exitCodes.waitsForPerson]: `${typed} waits for a person, and none is at this terminal.`,
    [exitCodes.cancelled]: `${typed} was followed for ${timeoutSeconds} s and has not ended; it goes on.`,
  };
  const words = why[exitCode] ?? '\ndetached; the contract goes on.';
  shell.say(`${words} Back to it: makima watch ${typed}`);
  return exitCode;
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

type Following = FollowContractOptions & {
  readonly signal: AbortSignal;
  readonly still: StandstillWatch;
};

/** The exit code, or undefined when the signal ended it. */
async function untilEnd(
  shell: Shell,
  client: Client,
  options: Following,
): Promise<number | undefined> {
  const { followPages } = await import('@makima/client/follow-events');
  const story = storyContext(shell.screen, { showContract: false });
  await learnNames(client, options, story);
  const told = new Set<EventType>();
  const tell = (page: EventPage): void => {
    if (page.events.length > 0) options.still.moved();
    for (const event of page.events) {
      told.add(event.type);
      if (shell.format === 'json') shell.jsonLine(event);
      else if (options.verbose || !isChatter(event)) tellLine(shell, event, story);
    }
  };
  const pages = followPages(client, {
    ...stretch(options),
    onLost: ({ error, attempt }) => {
      if (attempt === 3) shell.say(`${oneLine(error.message)}; waiting for it`);
    },
    onBack: () => shell.say('the server is back'),
  });
  // Before the first page is told, nothing is known: the contract may have ended long ago.
  let look = true;
  for await (const page of pages) {
    tell(page);
    look ||= page.events.length === 0 || page.events.some((event) => telling.has(event.type));
    if (!page.caughtUp || !look) continue;
    look = false;
    const contract = await readContract(client, options);
    const exitCode = outcomeOf(contract, { personIsHere: shell.screen.isTty });
    if (exitCode === undefined) continue;
    // The contract was read after the page: what lies between them belongs to the story.
    const rest = followPages(client, { ...stretch(options), after: page.cursor, waitSeconds: 1 });
    const waits = exitCode === exitCodes.waitsForPerson;
    await tellRest(rest, tell, () => waits || lastWords.some((type) => told.has(type)));
    await sayEnd(shell, client, { contract, exitCode });
    return exitCode;
  }
  return undefined;
}

function tellLine(shell: Shell, event: Event, story: StoryContext): void {
  shell.print(storyLine(event, story));
  const act = shell.screen.isTty ? storyAct(event) : null;
  if (act !== null) shell.print(shell.screen.colors.cyan(`          ${act}`));
}

function stretch(options: Following): FollowOptions {
  return {
    contractId: options.id,
    signal: options.signal,
    ...(options.onlyNew ? { after: 'now' } : {}),
  };
}

/** One of these ends the story of every contract. */
const lastWords: readonly EventType[] = ['contract.completed', 'contract.failed'];

/** Tells what is left, until it is enough or nothing comes. */
async function tellRest(
  pages: AsyncIterable<EventPage>,
  tell: (page: EventPage) => void,
  enough: () => boolean,
): Promise<void> {
  let requests = 0;
  for await (const page of pages) {
    requests += 1;
    tell(page);
    if (page.caughtUp && (enough() || (page.events.length === 0 && requests > 1))) return;
  }
}

function readContract(client: Client, options: Following): Promise<ContractDetail> {
  return client.call('getContract', { params: { id: options.id }, signal: options.signal });
}

/** A story that begins in the middle tells of tasks whose names came before. */
async function learnNames(client: Client, options: Following, story: StoryContext): Promise<void> {
  if (!options.onlyNew) return;
  const { items } = await client.call('listContractTasks', { params: { id: options.id } });
  for (const task of items) story.taskNames.set(task.id, oneLine(task.name));
}
