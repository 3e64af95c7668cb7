/**
 * One file per task that ever ran here: where its directory is, which branch, which conversation. Commands
 * about a task name only its id and come long after its agent is gone.
 *
 * Law: written whole or not at all; a file that cannot be read is no record.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
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
});

export interface TaskRecords {
  read(taskId: string): Promise<TaskRecord | null>;
  write(record: TaskRecord): Promise<void>;
  remove(taskId: string): Promise<void>;
}

export function openRecords(directory: string): TaskRecords {
  const fileOf = (taskId: string): string => join(directory, `${taskId}.json`);
  return {
    async read(taskId) {
      try {
        return zRecord.parse(JSON.parse(await readFile(fileOf(taskId), 'utf8')));
      } catch {
        return null;
      }
    },
    async write(record) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const aside = `${fileOf(record.taskId)}.new`;
      await writeFile(aside, `${JSON.stringify(record)}\n`, { mode: 0o600 });
      await rename(aside, fileOf(record.taskId));
    },
    async remove(taskId) {
      await rm(fileOf(taskId), { force: true });
    },
  };
}
