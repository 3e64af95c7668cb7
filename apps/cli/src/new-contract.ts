/** From the command line of `run` and `contracts create` to a contract. */
import { text } from 'node:stream/consumers';
import type { Client } from '@makima/client/client';
import type { ContractDetail, zContractInput } from '@makima/contracts/entity/contract';
import type { z } from 'zod';
import { budgetGiven, type BudgetOptions } from './budget.ts';
import { headline } from './plain.ts';
import { usageError } from './print-error.ts';
import { readRepository, uncommittedFiles } from './repository.ts';
import type { Shell } from './shell.ts';

export interface ContractOptions extends BudgetOptions {
  readonly repo?: readonly string[];
  readonly name?: string;
  readonly type: string;
  readonly base?: string;
  readonly agent: string;
  readonly model?: string;
  /** False after `--no-guard`. */
  readonly guard: boolean;
  readonly guardPhase?: readonly string[];
  readonly trust?: true;
  readonly merge?: true;
  readonly pullRequests?: true;
  readonly localOnly?: true;
  readonly askPermission?: true;
  readonly askAtEnd?: true;
  readonly priority?: number;
  readonly parkAfter?: number;
  readonly onLimit?: 'resume' | 'ask';
}

type ContractBody = z.input<typeof zContractInput>;

/** The longest name that is made from a goal. */
const nameChars = 60;

export async function createContract(
  shell: Shell,
  client: Client,
  given: { goal: string; options: ContractOptions; start: boolean },
): Promise<ContractDetail> {
  const goal = (given.goal === '-' ? await text(shell.io.stdin) : given.goal).trim();
  if (goal === '') throw usageError('the goal is empty', 'makima run "fix the failing test"');
  const { options, start } = given;
  const name = options.name ?? nameFrom(goal);
  const repositories = await repositoriesOf(shell, options);
  return client.call('createContract', {
    body: { ...settingsOf(options), name, description: goal, repositories, start },
  });
}

function settingsOf(options: ContractOptions): Omit<ContractBody, 'name' | 'description'> {
  return {
    contractType: options.type,
    agent: options.agent,
    phaseGuard: options.guard && (options.guardPhase === undefined || [...options.guardPhase]),
    autoMergeLocal: options.merge === true,
    allowPullRequests: options.pullRequests === true,
    localOnly: options.localOnly === true,
    permissionMode: options.askPermission === true ? 'ask' : 'bypass',
    autoCompleteEnabled: options.askAtEnd !== true,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(options.parkAfter === undefined ? {} : { parkAfterSeconds: options.parkAfter }),
    ...(options.onLimit === undefined ? {} : { onLimit: options.onLimit }),
    budget: budgetGiven(options) ?? null,
  };
}

async function repositoriesOf(
  shell: Shell,
  options: ContractOptions,
): Promise<NonNullable<ContractBody['repositories']>> {
  const sameMachine = isLoopback(shell.url());
  const places = (options.repo ?? ['.']).map((given) =>
    readRepository(shell.io, given, { sameMachine, base: options.base }),
  );
  const found = await Promise.all(places);
  for (const place of found) if ('localPath' in place) await sayUncommitted(shell, place.localPath);
  return found.map((place, at) => ({
    ...place,
    isPrimary: at === 0,
    ...(options.trust === true ? { trusted: true } : {}),
    ...(options.base === undefined ? {} : { baseBranch: options.base }),
  }));
}

/** Agents begin from commits: whoever has forgotten theirs would wonder at the result. */
async function sayUncommitted(shell: Shell, path: string): Promise<void> {
  const count = await uncommittedFiles(shell.io, path);
  if (count === 0) return;
  const files = count === 1 ? '1 file that is' : `${count} files that are`;
  shell.say(`warning: ${path} has ${files} not committed: agents work on what is committed`);
}

/** The first line of the goal, cut at a word. */
export function nameFrom(goal: string): string {
  const line = headline(goal, 1_000, '');
  if (line.length <= nameChars) return line;
  const cut = line.slice(0, nameChars + 1);
  const space = cut.lastIndexOf(' ');
  return (space > nameChars / 2 ? cut.slice(0, space) : line.slice(0, nameChars)).trim();
}

/** The server sees the same files as we do. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

/** Where a contract can be read, by curl today and by whatever else speaks HTTP. */
export function contractUrl(baseUrl: string, id: string): string {
  return `${baseUrl}/api/v1/contracts/${id}`;
}
