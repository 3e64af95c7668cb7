/** `makima events`: what happened, and with --follow what happens. */
import type { Client } from '@makima/client/client';
import type { Event } from '@makima/contracts/entity/event';
import { followPages, type EventPage } from '@makima/client/follow-events';
import { exitCodes } from '../exit-code.ts';
import { allContracts, contractId, tasksOf } from '../find.ts';
import { oneLine } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import { storyContext, storyLine, storySentence } from '../story.ts';
import type { StoryContext } from '../story-context.ts';

interface Options {
  readonly follow?: true;
  readonly contract?: string;
  readonly new?: true;
  readonly after?: string;
  readonly tail?: number;
}

export async function run(shell: Shell, _args: readonly [], options: Options): Promise<number> {
  if (options.new === true && options.after !== undefined) {
    throw usageError('--new and --after say different things', 'give one of them');
  }
  const client = await shell.connect();
  const id =
    options.contract === undefined ? undefined : await contractId(client, options.contract);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    await tellEvents(shell, client, { ...options, id, signal: stop.signal });
    return stop.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
  } catch (error) {
    if (stop.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

type Telling = Options & { readonly id: string | undefined; readonly signal: AbortSignal };

async function tellEvents(shell: Shell, client: Client, options: Telling): Promise<void> {
  const story = storyContext(shell.screen, { showContract: options.id === undefined });
  const after = options.new === true ? 'now' : options.after;
  if (shell.format !== 'json' && after !== undefined) await learnNames(client, options, story);
  const pages = followPages(client, {
    contractId: options.id,
    signal: options.signal,
    after,
    onLost: ({ error, attempt }) => {
      if (attempt === 3) shell.say(`${oneLine(error.message)}; waiting for it`);
    },
    onBack: () => shell.say('the server is back'),
  });
  if (options.follow === true) await follow(shell, pages, options, story);
  else await untilNow(shell, pages, options, story);
}

/** What is there; the last page's cursor says where to go on. */
async function untilNow(
  shell: Shell,
  pages: AsyncIterable<EventPage>,
  options: Telling,
  story: StoryContext,
): Promise<void> {
  const kept = new Tail(options.tail);
  let cursor = '';
  for await (const page of pages) {
    for (const event of page.events) kept.push(event);
    cursor = page.cursor;
    if (page.caughtUp) break;
  }
  if (shell.format === 'json') {
    shell.json({ items: kept.events, nextCursor: null, cursor });
    return;
  }
  if (kept.events.length === 0) shell.say('Nothing has happened yet.');
  for (const event of kept.events) shell.print(lineOf(shell, event, story));
}

async function follow(
  shell: Shell,
  pages: AsyncIterable<EventPage>,
  options: Telling,
  story: StoryContext,
): Promise<void> {
  const tell = (event: Event): void => {
    if (shell.format === 'json') shell.jsonLine(event);
    else shell.print(lineOf(shell, event, story));
  };
  let held = options.tail === undefined ? undefined : new Tail(options.tail);
  for await (const page of pages) {
    for (const event of page.events) {
      if (held === undefined) tell(event);
      else held.push(event);
    }
    if (held === undefined || !page.caughtUp) continue;
    for (const event of held.events) tell(event);
    held = undefined;
  }
}

/** For people a story; for programs columns: time, contract, type, task, actor, sentence. */
function lineOf(shell: Shell, event: Event, story: StoryContext): string {
  if (shell.screen.isTty) return storyLine(event, story);
  const columns = [
    event.time,
    event.contractId ?? '-',
    event.type,
    event.taskId ?? '-',
    event.actor.name,
    storySentence(event, story),
  ];
  return columns.map(oneLine).join('\t');
}

/** Lines that begin in the middle speak of tasks and contracts that were named before. */
async function learnNames(client: Client, options: Telling, story: StoryContext): Promise<void> {
  const contracts = options.id === undefined ? await allContracts(client) : [];
  for (const contract of contracts) story.contractSlugs.set(contract.id, oneLine(contract.slug));
  const live = contracts.filter((c) => c.status === 'active' || c.status === 'waiting_for_input');
  const ids = options.id === undefined ? live.map((c) => c.id) : [options.id];
  for (const task of await tasksOf(client, ids)) story.taskNames.set(task.id, oneLine(task.name));
}

/** The last n events, or all. */
class Tail {
  readonly events: Event[] = [];
  readonly #most: number | undefined;

  constructor(most: number | undefined) {
    this.#most = most;
  }

  push(event: Event): void {
    this.events.push(event);
    if (this.#most !== undefined && this.events.length > this.#most) this.events.shift();
  }
}
