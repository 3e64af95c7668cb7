/**
 * `makima tasks output`: what an agent wrote.
 *
 * Law: with --follow every entry is printed once and in order.
 */
import type { Client } from '@makima/client/client';
import { isMakimaError } from '@makima/domain/error';
import { isTaskComplete, isTaskFinal, type TaskStatus } from '@makima/domain/task';
import { pause } from '@makima/client/pause';
import { exitCodes } from '../exit-code.ts';
import { taskId } from '../find.ts';
import { OutputFeed, type OutputEntry } from '../output-feed.ts';
import { oneLine, plain } from '../plain.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly follow?: true;
  readonly tail?: number;
}

const pollMs = 1_000;

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<number> {
  const client = await shell.connect();
  const id = await taskId(client, typed);
  const feed = new OutputFeed(client, id);
  const there = await feed.rest();
  const shown = options.tail === undefined ? there : tailOf(there, options.tail);
  if (options.follow !== true) {
    if (shell.format === 'json') shell.json({ items: shown, nextCursor: null });
    else for (const entry of shown) printEntry(shell, entry);
    return exitCodes.ok;
  }
  for (const entry of shown) tell(shell, entry);
  return follow(shell, feed, client, { id, typed });
}

async function follow(
  shell: Shell,
  feed: OutputFeed,
  client: Client,
  { id, typed }: { readonly id: string; readonly typed: string },
): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    for (;;) {
      // The status first: what was written before the end is then in the page that follows.
      const status = await statusOf(client, id, stop.signal);
      for (const entry of await patiently(() => feed.rest(), stop.signal)) tell(shell, entry);
      if (isTaskFinal(status)) {
        shell.say(`the task is ${status}`);
        return isTaskComplete(status) ? exitCodes.ok : exitCodes.endedBadly;
      }
      await pause(pollMs, stop.signal);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    shell.say(`\ndetached; the task goes on. Back to it: makima tasks output ${typed} --follow`);
    return exitCodes.interrupted;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function statusOf(client: Client, id: string, signal: AbortSignal): Promise<TaskStatus> {
  return patiently(
    async () => (await client.call('getTask', { params: { id }, signal })).status,
    signal,
  );
}

/** A server that is away comes back. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isMakimaError(error) || !error.retryable) throw error;
      await pause(pollMs, signal);
    }
  }
}

function tailOf(entries: readonly OutputEntry[], count: number): readonly OutputEntry[] {
  return count === 0 ? [] : entries.slice(-count);
}

function tell(shell: Shell, entry: OutputEntry): void {
  if (shell.format === 'json') shell.jsonLine(entry);
  else printEntry(shell, entry);
}

/** An agent's own words as they are; what it did with tools in one line. */
function printEntry(shell: Shell, entry: OutputEntry): void {
  const { colors } = shell.screen;
  const text = plain(entry.content).trimEnd();
  if (entry.toolName === null && !entry.isError) {
    if (text !== '') shell.print(text);
    return;
  }
  const sign = entry.isError ? colors.red('x') : colors.gray('>');
  const tool = entry.toolName === null ? '' : `${colors.cyan(oneLine(entry.toolName))} `;
  const input = entry.toolInput === undefined || entry.toolInput === null ? '' : inputOf(entry);
  shell.print(`${sign} ${tool}${input === '' ? oneLine(text) : input}`);
}

function inputOf(entry: OutputEntry): string {
  const { toolInput } = entry;
  return oneLine(typeof toolInput === 'string' ? toolInput : JSON.stringify(toolInput));
}
