/**
 * From what people type to the thing they mean: a full id, a unique beginning of one, a slug, a name.
 *
 * Law: an exact match wins; several matches are an error that lists them, never a guess; what is empty is
 * the beginning of everything, and means nothing.
 */
import type { Client } from '@makima/client/client';
import type { Contract } from '@makima/contracts/entity/contract';
import type { Question } from '@makima/contracts/entity/question';
import type { Task } from '@makima/contracts/entity/task';
import { MakimaError } from '@makima/domain/error';
import { usageError } from './print-error.ts';

const fullId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isFullId = (text: string): boolean => fullId.test(text);

/** What can be typed for a thing, and how a list of candidates shows it. */
interface Names<T> {
  readonly id: (thing: T) => string;
  /** Slug or name; null when it has none. */
  readonly name: (thing: T) => string | null;
}

/**
 * Exact name or id, else the beginning of ids, else the beginning of names.
 * @throws usage error when nothing is typed.
 */
export function matching<T>(things: readonly T[], typed: string, names: Names<T>): readonly T[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === '') throw usageError('the id or name is empty', 'type the beginning of one');
  const nameOf = (thing: T): string | undefined => names.name(thing)?.toLowerCase();
  const exact = things.filter((t) => nameOf(t) === wanted || names.id(t) === wanted);
  if (exact.length > 0) return exact;
  const byId = things.filter((t) => names.id(t).startsWith(wanted));
  return byId.length > 0 ? byId : things.filter((t) => nameOf(t)?.startsWith(wanted) ?? false);
}

export function theOne<T>(
  found: readonly T[],
  typed: string,
  noun: string,
  names: Names<T>,
): T | undefined {
  if (found.length < 2) return found[0];
  const listed = found.slice(0, 10).map((t) => `${names.id(t)}  ${names.name(t) ?? ''}`.trim());
  const rest = found.length > 10 ? [`and ${found.length - 10} more`] : [];
  throw usageError(`'${typed}' may mean ${found.length} ${noun}`, 'type more of it', [
    ...listed,
    ...rest,
  ]);
}

const contractNames: Names<Contract> = { id: (c) => c.id, name: (c) => c.slug };
const taskNames: Names<Task> = { id: (t) => t.id, name: (t) => t.name };
const questionNames: Names<Question> = { id: (q) => q.id, name: () => null };

/** Every contract, over all pages. */
export async function allContracts(client: Client): Promise<Contract[]> {
  const all: Contract[] = [];
  let after: string | undefined;
  do {
    const page = await client.call('listContracts', {
      query: { limit: 200, ...(after === undefined ? {} : { after }) },
    });
    all.push(...page.items);
    after = page.nextCursor ?? undefined;
  } while (after !== undefined);
  return all;
}

/** The id of the contract that is meant. */
export async function contractId(client: Client, typed: string): Promise<string> {
  if (isFullId(typed)) return typed.toLowerCase();
  const found = matching(await allContracts(client), typed, contractNames);
  const contract = theOne(found, typed, 'contracts', contractNames);
  if (contract) return contract.id;
  throw new MakimaError('CONTRACT_NOT_FOUND', `there is no contract '${typed}'`, {
    fix: 'makima contracts list',
  });
}

/** Is the contract over, so that its tasks are of no interest unless asked for? */
export function isOver(contract: Contract): boolean {
  return ['completed', 'failed', 'archived'].includes(contract.status);
}

/** Tasks of these contracts; a few requests at a time. */
export async function tasksOf(client: Client, contracts: readonly string[]): Promise<Task[]> {
  const tasks: Task[] = [];
  for (let at = 0; at < contracts.length; at += 8) {
    const lists = await Promise.all(
      contracts.slice(at, at + 8).map((id) => client.call('listContractTasks', { params: { id } })),
    );
    tasks.push(...lists.flatMap((list) => list.items));
  }
  return tasks;
}

/** The id of the task that is meant: also `contract/name` and `contract/beginning`. */
export async function taskId(client: Client, typed: string): Promise<string> {
  if (isFullId(typed)) return typed.toLowerCase();
  const task = await findTask(client, typed);
  if (task) return task.id;
  throw new MakimaError('NOT_FOUND', `there is no task '${typed}'`, { fix: 'makima tasks list' });
}

async function findTask(client: Client, typed: string): Promise<Task | undefined> {
  const slash = typed.indexOf('/');
  if (slash > 0) {
    const id = await contractId(client, typed.slice(0, slash));
    const word = typed.slice(slash + 1);
    return theOne(
      matching(await tasksOf(client, [id]), word, taskNames),
      typed,
      'tasks',
      taskNames,
    );
  }
  const contracts = await allContracts(client);
  // Most likely it is of a contract that still goes on; the others cost as many requests as there are.
  for (const over of [false, true]) {
    const ids = contracts.filter((c) => isOver(c) === over).map((c) => c.id);
    const found = matching(await tasksOf(client, ids), typed, taskNames);
    if (found.length > 0) return theOne(found, typed, 'tasks', taskNames);
  }
  return undefined;
}

/** A contract or a task, whichever has this id or name. */
export async function contractOrTask(
  client: Client,
  typed: string,
): Promise<{ kind: 'contract' | 'task' | 'either'; id: string }> {
  if (isFullId(typed)) return { kind: 'either', id: typed.toLowerCase() };
  if (typed.includes('/')) return { kind: 'task', id: await taskId(client, typed) };
  const found = matching(await allContracts(client), typed, contractNames);
  const contract = theOne(found, typed, 'contracts', contractNames);
  if (contract) return { kind: 'contract', id: contract.id };
  const task = await findTask(client, typed);
  if (task) return { kind: 'task', id: task.id };
  throw new MakimaError('NOT_FOUND', `there is no contract or task '${typed}'`, {
    fix: 'makima contracts list',
  });
}

async function questions(client: Client, status: 'open' | 'answered'): Promise<Question[]> {
  const all: Question[] = [];
  let after: string | undefined;
  do {
    const page = await client.call('listQuestions', {
      query: { status, limit: 200, ...(after === undefined ? {} : { after }) },
    });
    all.push(...page.items);
    after = page.nextCursor ?? undefined;
  } while (after !== undefined);
  return all;
}

/** The question that is meant: by its id, or by a contract that has one open question. */
export async function findQuestion(client: Client, typed: string): Promise<Question> {
  if (isFullId(typed)) {
    return client.call('getQuestion', { params: { id: typed.toLowerCase() } });
  }
  const open = await questions(client, 'open');
  const bySlug = open.filter((q) => q.contractSlug === typed.toLowerCase());
  const found = bySlug.length > 0 ? bySlug : matching(open, typed, questionNames);
  const names =
    bySlug.length > 1 ? { ...questionNames, name: (q: Question) => q.question } : questionNames;
  const question = theOne(found, typed, 'questions', names);
  if (question) return question;
  const answered = await questions(client, 'answered');
  // The last one of a contract: the server says that it was answered, by whom and how.
  const last = answered
    .filter((q) => q.contractSlug === typed.toLowerCase())
    .toSorted((a, b) => a.askedAt.localeCompare(b.askedAt))
    .at(-1);
  const before = last ?? theOne(matching(answered, typed, names), typed, 'questions', names);
  if (before) return before;
  throw new MakimaError('NOT_FOUND', `there is no question '${typed}'`, { fix: 'makima inbox' });
}
