/**
 * What an agent leaves: its commits into the store, its uncommitted files into a commit of the branch or onto
 * a kept ref.
 *
 * Law: nothing an agent made is lost when its attempt ends. The branch that the daemon committed to is ahead
 * of the agent's own HEAD from then on: later looks into that directory must not move it back.
 */
import { saveFiles } from '../git/checkpoint.ts';
import { commitTree, treeOf, updateRefs } from '../git/commit.ts';
import { keepWorkdir } from '../git/keep.ts';
import { withRepoLock } from '../git/lock.ts';
import { taskRef } from '../git/names.ts';
import { workdirAt, type Workdir } from '../git/shadow.ts';
import { resolveCommit, type Store } from '../git/store.ts';
import { takeCommits } from '../git/take.ts';
import type { Collected, TaskRecord } from './port.ts';

export interface CollectOptions {
  readonly leftovers: 'commit' | 'keep';
  readonly why: string;
}

/** Ends of which this machine's copy of the contract's branch says nothing: its last merges may have been refused. */
const cutOff: ReadonlySet<string> = new Set(['fenced', 'crashed']);

export async function collectWork(
  store: Store,
  record: TaskRecord,
  options: CollectOptions,
): Promise<Collected> {
  const workdir = workdirAt(store, record.directory);
  const name = { task: record.taskId, attempt: record.attempt };
  const baseSha = record.baseSha ?? '';
  // Whoever rests goes on in its directory: nothing of it is put aside.
  if (record.sharedWith !== null || options.why === 'parked' || options.why === 'limited') {
    const { headSha, keptRef } = await takeCommits(workdir, name);
    return { commitSha: headSha, settledSha: null, keptRef, leftoverSha: null };
  }
  if (options.leftovers === 'commit') {
    const { keptRef, headSha } = await takeCommits(workdir, name);
    const settledSha = await commitLeftovers(workdir, record, headSha ?? baseSha);
    return { commitSha: settledSha ?? headSha, settledSha, keptRef, leftoverSha: null };
  }
  const why = options.why.replaceAll('_', '-');
  const mergedInto = cutOff.has(options.why) ? [] : branchHere(record);
  const { kept } = await keepWorkdir(workdir, { ...name, baseSha, why, mergedInto });
  const commitSha = await resolveCommit(store, taskRef(name.task, name.attempt));
  const onTop = kept !== null && kept.sha !== (commitSha ?? baseSha);
  const leftoverSha = onTop ? kept.sha : null;
  return { commitSha, settledSha: null, keptRef: kept?.ref ?? null, leftoverSha };
}

/** The contract's branch as this machine has it: what holds merged work where nothing better is known. */
export function branchHere({ contractBranch }: TaskRecord): string[] {
  return contractBranch === null ? [] : [contractBranch];
}

/** The files as they are, as one more commit of the branch; null when they are as committed. */
async function commitLeftovers(
  workdir: Workdir,
  record: TaskRecord,
  headSha: string,
): Promise<string | null> {
  const { store } = workdir;
  const { taskId: task, attempt } = record;
  const saved = await saveFiles(workdir, { task, attempt, baseSha: record.baseSha ?? headSha });
  if (saved.tree === (await treeOf(store, headSha))) return null;
  const sha = await commitTree(store, {
    tree: saved.tree,
    parents: [headSha],
    message: `${record.name}\n\nMakima-Task: ${task}\nMakima-Attempt: ${attempt}`,
  });
  const ref = taskRef(task, attempt);
  await withRepoLock(store.dir, () => updateRefs(store, [`update ${ref} ${sha}`]));
  return sha;
}

/** Does work that looks into the directory, and puts the branch back to where the daemon committed it. */
export async function keepSettled<T>(
  store: Store,
  record: TaskRecord,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } finally {
    const ref = taskRef(record.taskId, record.attempt);
    if (record.settledSha !== null && (await resolveCommit(store, ref)) !== record.settledSha) {
      await withRepoLock(store.dir, () =>
        updateRefs(store, [`update ${ref} ${record.settledSha}`]),
      );
    }
  }
}
