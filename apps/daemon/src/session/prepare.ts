/**
 * Before an agent runs: its working directory, and the task's record.
 *
 * Law: nothing of an agent has run yet, so all of this may be broken off and done again.
 */
import type { DaemonContext } from '../context.ts';
import type { PatchSource, TaskRecord } from '../workspace/port.ts';
import { ownLine } from './lines.ts';
import type { LiveAttempt } from './live.ts';
import { withPatience } from './patience.ts';

export async function prepare(context: DaemonContext, live: LiveAttempt): Promise<TaskRecord> {
  const { start } = live;
  const prepared = await context.workspace.prepare(start, {
    signal: live.cancel.signal,
    recordOf: (taskId) => context.records.read(taskId),
    isLivedIn: (directory) => isLivedIn(context, start.taskId, directory),
    fetchPatch: () => fetchPatch(context, live),
  });
  if (prepared.stays !== undefined) {
    const { directory, reason } = prepared.stays;
    const words = `The directory of an attempt before stays at ${directory}: ${reason}`;
    await live.output.add(ownLine('system', words));
  }
  if (prepared.notCopied.length > 0) {
    const left = prepared.notCopied.map(({ path, reason }) => `${path} (${reason})`).join(', ');
    await live.output.add(ownLine('system', `Not copied into the working directory: ${left}`));
  }
  const record: TaskRecord = {
    taskId: start.taskId,
    attempt: start.attempt,
    contractSlug: start.contractSlug,
    name: start.name,
    isSupervisor: start.isSupervisor,
    repository: start.repository,
    branch: prepared.branch,
    contractBranch: start.contractBranch,
    directory: prepared.directory,
    sharedWith: prepared.sharedWith,
    baseSha: prepared.baseSha,
    agent: start.agent,
    sessionId: start.sessionId,
    settledSha: null,
    leftoverSha: null,
    collected: false,
  };
  await context.records.write(record);
  if (start.attempt > 1) void context.kept.tell();
  return record;
}

async function isLivedIn(
  { journal, records }: DaemonContext,
  byOthersThan: string,
  directory: string,
): Promise<boolean> {
  for (const { taskId, attempt, phase } of journal.state.attempts.values()) {
    if (phase === 'ended' || taskId === byOthersThan) continue;
    const record = await records.read(taskId);
    if (record?.attempt === attempt && record.directory === directory) return true;
  }
  return false;
}

async function fetchPatch(context: DaemonContext, live: LiveAttempt): Promise<PatchSource | null> {
  const { taskId, attempt, patchCheckpointId: checkpointId } = live.start;
  if (checkpointId === null) return null;
  const parts: Buffer[] = [];
  let baseSha = live.start.patchBaseSha;
  for (let part = 0, count = 1; part < count; part++) {
    const answer = await withPatience(context, live, () =>
      context.ask({ kind: 'patch', taskId, attempt, checkpointId, part }),
    );
    parts.push(Buffer.from(answer.data, 'base64'));
    baseSha = answer.baseSha;
    count = answer.parts;
  }
  if (baseSha === null || parts.length === 0) return null;
  const patch = Buffer.concat(parts);
  return patch.length === 0 ? null : { baseSha, patch };
}
