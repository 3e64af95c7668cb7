/** What a person should know of the place where a resumed supervisor is to start, and of what keeps it from it. */
import { daemonsOf } from '@makima/db/repo/daemons';
import { hasTranscript } from '@makima/db/repo/talk';
import type { ContractRow, DaemonRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';

export async function placeWarnings(
  a: Act,
  task: TaskRow,
  target: DaemonRow | undefined,
): Promise<readonly string[]> {
  const all = await daemonsOf(a.tx, { ownerId: a.ownerId });
  const connected = all.filter((daemon) => daemon.status === 'connected');
  if (target === undefined) {
    if (connected.length === 0) return ['No daemon is connected: it starts when one comes.'];
    const home = all.find(({ id }) => id === task.homeDaemonId);
    const away = home?.status === 'disconnected' && task.localPath !== null;
    return away
      ? [`The repository is a path on daemon ${home.name}: it starts when that one comes.`]
      : [];
  }
  const moved = task.homeDaemonId !== null && task.homeDaemonId !== target.id;
  const has = target.agents.some((agent) => agent.kind === task.agent && agent.available);
  const transcript = !moved || (await hasTranscript(a.tx, { taskId: task.id }));
  return [
    ...(target.status === 'connected'
      ? []
      : [`Daemon ${target.name} is not connected: it starts when it comes.`]),
    ...(has ? [] : [`Daemon ${target.name} has no agent of kind ${task.agent}.`]),
    ...(moved && task.localPath !== null
      ? [`The repository is a path on another machine: ${target.name} needs it at the same place.`]
      : []),
    ...(transcript
      ? []
      : ['Its conversation is on the former machine only: it may begin a new one.']),
  ];
}

/** Nothing of a contract is started while its budget is used up, whoever asks for it. */
export function budgetWarnings(contract: ContractRow, task: TaskRow): readonly string[] {
  if (contract.budgetHeldAt === null && task.budgetHeldAt === null) return [];
  const whose = contract.budgetHeldAt === null ? 'Its' : 'The contract’s';
  return [`${whose} budget is used up: it starts when a person has decided (makima inbox).`];
}
