/** `makima contracts restart-supervisor`: bring it back, and say what was found on the way. */
import type { Client } from '@makima/client/client';
import { MakimaError } from '@makima/domain/error';
import { isResumeMode } from '@makima/domain/resume';
import { daemonId } from '../find-daemon.ts';
import { contractId, isFullId } from '../find.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly mode: string;
  readonly checkpoint?: string;
  readonly daemon?: string;
  readonly context?: string;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const { mode, checkpoint, daemon, context } = options;
  const resumed = await client.call('resumeSupervisor', {
    params: { id },
    body: {
      ...(isResumeMode(mode) ? { resumeMode: mode } : {}),
      ...(checkpoint === undefined
        ? {}
        : { checkpointId: await checkpointId(client, id, checkpoint) }),
      ...(daemon === undefined ? {} : { targetDaemonId: await daemonId(client, daemon) }),
      ...(context === undefined ? {} : { additionalContext: context }),
    },
  });
  if (shell.format === 'json') {
    shell.json(resumed);
    return;
  }
  const { restoration } = resumed;
  for (const warning of restoration?.warnings ?? []) shell.say(`! ${oneLine(warning)}`);
  const count = restoration === null ? '' : `, restoration ${restoration.restorationCount}`;
  shell.say(
    `The supervisor of ${typed} goes on in ${resumed.resumedFrom.phase}${count}. Follow it: makima watch ${typed}`,
  );
}

/** By its number, as people know it, or its id. */
async function checkpointId(client: Client, contract: string, typed: string): Promise<string> {
  if (isFullId(typed)) return typed;
  const { task_id: id } = await client.call('supervisorStatus', { params: { id: contract } });
  const { items } = await client.call('listCheckpoints', { params: { id } });
  const found = items.find((item) => String(item.checkpointNumber) === typed);
  if (found !== undefined) return found.id;
  const numbers = items.map((item) => item.checkpointNumber).join(', ');
  throw new MakimaError('NOT_FOUND', `the supervisor has no checkpoint ${typed}`, {
    fix: numbers === '' ? 'continue without one' : `choose one of: ${numbers}`,
  });
}
