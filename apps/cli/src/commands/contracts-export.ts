/** `makima contracts export`: everything about a contract as one JSON document. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@makima/client/client';
import { questionStatuses } from '@makima/domain/question';
import { contractId } from '../find.ts';
import { safeJson } from '../plain.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly output?: string },
): Promise<void> {
  const { output } = options;
  if (output?.trim() === '') throw usageError('--output is empty', 'name the file to write');
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const document = await everythingOf(client, id);
  if (output === undefined) {
    shell.json(document);
    return;
  }
  const file = resolve(shell.io.cwd, output);
  await writeFile(file, `${safeJson(document, 2)}\n`).catch((error: NodeJS.ErrnoException) => {
    throw usageError(
      `cannot write ${file} (${error.code ?? error.message})`,
      'name a file in a folder that is there and that you may write to',
    );
  });
  shell.say(`${document.contract.slug} is written to ${output}`);
}

async function everythingOf(client: Client, id: string) {
  const params = { id };
  const [contract, readiness, why] = await Promise.all([
    client.call('getContract', { params }),
    client.call('phaseReadiness', { params }),
    client.call('whyContract', { params }),
  ]);
  const { items: tasks } = await client.call('listContractTasks', { params });
  const questions = [];
  // The API lists one status at a time; what was asked and decided belongs to the whole.
  for (const status of questionStatuses) {
    const page = (after: { after?: string }) =>
      client.call('listQuestions', { query: { contractId: id, status, limit: 200, ...after } });
    questions.push(...(await pagesOf(page)));
  }
  questions.sort((a, b) => a.askedAt.localeCompare(b.askedAt));
  const events = await pagesOf((after) =>
    client.call('listEvents', { query: { contractId: id, limit: 200, ...after } }),
  );
  return { version: 1, contract, readiness, why, tasks, questions, events };
}

async function pagesOf<T>(
  page: (after: {
    after?: string;
  }) => Promise<{ readonly items: readonly T[]; readonly nextCursor: string | null }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let after: string | undefined; ;) {
    const { items, nextCursor } = await page(after === undefined ? {} : { after });
    all.push(...items);
    if (nextCursor === null || items.length === 0) return all;
    after = nextCursor;
  }
}
