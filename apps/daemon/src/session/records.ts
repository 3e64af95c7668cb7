/**
 * One file per task that ever ran here: where its directory is, which branch, which conversation. Commands
 * about a task name only its id and come long after its agent is gone.
 *
 * Law: written whole or not at all; a file that cannot be read is no record.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Running } from '@makima/contracts/socket/frames';
import { zRepositorySpec } from '@makima/contracts/socket/commands';
import type { TaskRecord } from '../workspace/port.ts';

const zRecord = z.object({
  taskId: z.string(),
  attempt: z.int(),
  contractSlug: z.string().nullable(),
  name: z.string(),
  isSupervisor: z.boolean(),
  repository: zRepositorySpec.nullable(),
  branch: z.string(),
  contractBranch: z.string().nullable(),
  directory: z.string(),
  sharedWith: z.string().nullable(),
  baseSha: z.string().nullable(),
  agent: z.string(),
  sessionId: z.string(),
  settledSha: z.string().nullable(),
  leftoverSha: z.string().nullable().default(null),
  collected: z.boolean().default(true),
});

export interface TaskRecords {
  read(taskId: string): Promise<TaskRecord | null>;
  /** Of every task that ran here. */
  all(): Promise<TaskRecord[]>;
  write(record: TaskRecord): Promise<void>;
  /** Adds to the record what was collected of this attempt, unless a newer one stands there. */
  amend(of: Running, facts: CollectedFacts): Promise<void>;
  remove(taskId: string): Promise<void>;
}

type CollectedFacts = Pick<TaskRecord, 'collected'> &
  Partial<Pick<TaskRecord, 'settledSha' | 'leftoverSha'>>;

export function openRecords(directory: string): TaskRecords {
  const fileOf = (taskId: string): string => join(directory, `${taskId}.json`);
  let tail: Promise<void> = Promise.resolve();
  /** One after the other: what is read before a change is what is changed. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = tail.then(work);
    tail = done.catch(() => undefined);
    return done;
  };
  const read = async (taskId: string): Promise<TaskRecord | null> => {
    try {
      return zRecord.parse(JSON.parse(await readFile(fileOf(taskId), 'utf8')));
    } catch {
      return null;
    }
  };
  const write = async (record: TaskRecord): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const aside = `${fileOf(record.taskId)}.new`;
    await writeFile(aside, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    await rename(aside, fileOf(record.taskId));
  };
  return {
    read,
    async all() {
      const names = await readdir(directory).catch(() => []);
      const found: TaskRecord[] = [];
      for (const name of names) {
        const record = name.endsWith('.json') ? await read(name.slice(0, -'.json'.length)) : null;
        if (record !== null) found.push(record);
      }
      return found;
    },
    write: (record) => inTurn(() => write(record)),
    amend: ({ taskId, attempt }, facts) =>
      inTurn(async () => {
        const record = await read(taskId);
        if (record?.attempt === attempt) await write({ ...record, ...facts });
      }),
    remove: (taskId) => inTurn(() => rm(fileOf(taskId), { force: true })),
  };
}
