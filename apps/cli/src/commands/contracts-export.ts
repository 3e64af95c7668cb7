/** `makima contracts export`: everything about a contract as one JSON document. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@makima/client/client';
import { contractId } from '../find.ts';
import { safeJson } from '../plain.ts';
import type { Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly output?: string },
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const document = await everythingOf(client, id);
  if (options.output === undefined) {
    shell.json(document);
    return;
  }
  await writeFile(resolve(shell.io.cwd, options.output), `${safeJson(document, 2)}\n`);
  shell.say(`${document.contract.slug} is written to ${options.output}`);
}

async function everythingOf(client: Client, id: string) {
  const params = { id };
  const [contract, readiness, why] = await Promise.all([
    client.call('getContract', { params }),
    client.call('phaseReadiness', { params }),
    client.call('whyContract', { params }),
  ]);
  const { items: tasks } = await client.call('listContractTasks', { params });
  const pages = [
    await pagesOf((after) =>
      client.call('listQuestions', { query: { contractId: id, limit: 200, ...after } }),
    ),
    await pagesOf((after) =>
      client.call('listEvents', { query: { contractId: id, limit: 200, ...after } }),
    ),
  ];
  const [questions, events] = pages;
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
