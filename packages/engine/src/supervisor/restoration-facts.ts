/** The facts from which a restoration is planned, read from rows; a saved state that disagrees is only a finding. */
import type { RestorationFacts as DomainFacts } from '@makima/domain/restoration-finding';
import { lastCheckpoint, quarantineSnapshot, snapshotsOf } from '@makima/db/repo/checkpoints';
import { deliverablesOfContract } from '@makima/db/repo/deliverables';
import { findDaemon } from '@makima/db/repo/daemons';
import { openQuestionsOf } from '@makima/db/repo/questions';
import { repositoriesOf } from '@makima/db/repo/contracts';
import { findSupervisor } from '@makima/db/repo/supervisors';
import { conversationShape, hasTranscript } from '@makima/db/repo/talk';
import { tasksOfContract } from '@makima/db/repo/tasks';
import { openWaitsOf } from '@makima/db/repo/waits';
import type { ContractRow, SnapshotRow, TaskRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { checkSnapshot, type SavedState } from './snapshot.ts';

export interface RestorationFacts extends DomainFacts {
  readonly awaitedTaskIds: readonly string[];
  readonly deliverables: readonly { readonly id: string; readonly phase: string }[];
}

const snapshotsTried = 5;

export async function restorationFacts(
  a: Act,
  contract: ContractRow,
  task: TaskRow,
): Promise<RestorationFacts> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const [
    tasks,
    questions,
    waits,
    conversation,
    repositories,
    checkpoint,
    daemon,
    transcript,
    supervisor,
    snapshot,
    deliverables,
  ] = await Promise.all([
    tasksOfContract(a.tx, about),
    openQuestionsOf(a.tx, about),
    openWaitsOf(a.tx, { taskId: task.id }),
    conversationShape(a.tx, { taskId: task.id }),
    repositoriesOf(a.tx, about),
    lastCheckpoint(a.tx, { taskId: task.id }),
    task.homeDaemonId === null
      ? undefined
      : findDaemon(a.tx, { ownerId: a.ownerId, id: task.homeDaemonId }),
    hasTranscript(a.tx, { taskId: task.id }),
    findSupervisor(a.tx, { ownerId: a.ownerId, taskId: task.id }),
    newestValid(a, task),
    deliverablesOfContract(a.tx, about),
  ]);
  return {
    state: supervisor === undefined ? 'none' : 'present',
    restorationCount: supervisor?.restorationCount ?? 0,
    phase: contract.phase,
    // A snapshot taken before the phase changed is old, not wrong: the row decides.
    savedPhase: null,
    spawnedTaskIds: snapshot.state?.spawnedTaskIds ?? [],
    tasks: tasks
      .filter((t) => !t.isSupervisor)
      .map((t) => ({ id: t.id, name: t.name, status: t.status })),
    questions: questions
      .filter((q) => q.taskId === task.id)
      .map((q) => ({ id: q.id, question: q.question, askedAt: q.askedAt, askerExists: true })),
    waitIds: waits.map((w) => w.id),
    deliverables: deliverables
      .filter((row) => row.staleSince === null)
      .map((row) => ({ id: row.deliverableId, phase: row.phase })),
    awaitedTaskIds: waits.flatMap((w) => w.targetIds),
    conversation: {
      messageCount: conversation.count,
      gapAfterSeq: conversation.lastSeq > conversation.count ? conversation.count : null,
    },
    snapshot: snapshot.verdict,
    checkpoint: checkpoint === undefined ? null : { commit: checkpoint.commitSha, exists: true },
    session:
      task.sessionStartedAt === null
        ? null
        : {
            id: task.sessionId,
            daemonId: task.homeDaemonId,
            transcript: transcript ? 'server' : 'daemon_only',
          },
    lastDaemon:
      daemon === undefined
        ? null
        : { daemonId: daemon.id, connected: daemon.status === 'connected' },
    repositoryExists: repositories.length > 0,
  };
}

/** The latest snapshot that verifies; those before it that do not are set aside with their reason. */
async function newestValid(
  a: Act,
  task: TaskRow,
): Promise<{ verdict: DomainFacts['snapshot']; state: SavedState | null }> {
  const rows: SnapshotRow[] = await snapshotsOf(a.tx, { taskId: task.id, limit: snapshotsTried });
  let why: string | undefined;
  for (const row of rows) {
    const checked = checkSnapshot(row);
    if (checked.ok) return { verdict: { valid: true }, state: checked.state };
    why ??= checked.why;
    await quarantineSnapshot(a.tx, { id: row.id, reason: checked.why });
  }
  return { verdict: rows.length === 0 ? null : { valid: false, why }, state: null };
}
