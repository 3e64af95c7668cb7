/** Checkpoints, their patches, and snapshots of a supervisor's state. */
import type { Queryable, Tx } from '../client.ts';
import type { CheckpointRow, SnapshotRow } from '../rows.ts';

/** The number of a task's next checkpoint; the caller holds the task's lock. */
export async function nextCheckpointNumber(tx: Tx, args: { taskId: string }): Promise<number> {
  const [row] = await tx<{ next: number }[]>`
    select 1 + greatest(
      coalesce((select max(checkpoint_number) from task_checkpoints where task_id = ${args.taskId}), 0),
      coalesce((select max((request->>'number')::int) from operations where task_id = ${args.taskId} and kind = 'task.checkpoint'), 0)) as next`;
  return row?.next ?? 1;
}

export async function insertCheckpoint(
  tx: Tx,
  row: Omit<CheckpointRow, 'id' | 'createdAt'>,
): Promise<CheckpointRow | undefined> {
  const [made] = await tx<
    CheckpointRow[]
  >`insert into task_checkpoints ${tx(row as never)} on conflict do nothing returning *`;
  return made;
}

export async function checkpointsOf(
  db: Queryable,
  args: { ownerId: string; taskId: string },
): Promise<CheckpointRow[]> {
  return db<
    CheckpointRow[]
  >`select * from task_checkpoints where owner_id = ${args.ownerId} and task_id = ${args.taskId} order by checkpoint_number`;
}

export async function lastCheckpoint(
  db: Queryable,
  args: { taskId: string },
): Promise<CheckpointRow | undefined> {
  const [row] = await db<
    CheckpointRow[]
  >`select * from task_checkpoints where task_id = ${args.taskId} order by checkpoint_number desc limit 1`;
  return row;
}

/** The newest of a task with this commit. */
export async function checkpointAt(
  db: Queryable,
  args: { taskId: string; commitSha: string },
): Promise<CheckpointRow | undefined> {
  const [row] = await db<CheckpointRow[]>`
    select * from task_checkpoints where task_id = ${args.taskId} and commit_sha = ${args.commitSha}
     order by checkpoint_number desc limit 1`;
  return row;
}

export async function findCheckpoint(
  db: Queryable,
  args: { ownerId: string; id: string },
): Promise<CheckpointRow | undefined> {
  const [row] = await db<
    CheckpointRow[]
  >`select * from task_checkpoints where owner_id = ${args.ownerId} and id = ${args.id}`;
  return row;
}

/** Parts come in their order. Sent anew after a crash, the first one voids what was sent before. */
export async function insertPatchPart(
  tx: Tx,
  row: { ownerId: string; operationId: string; part: number; data: Uint8Array },
): Promise<void> {
  if (row.part === 0) await dropPatchParts(tx, row);
  await tx`insert into checkpoint_patches (operation_id, part, owner_id, data)
           values (${row.operationId}, ${row.part}, ${row.ownerId}, ${row.data as never}) on conflict (operation_id, part) do nothing`;
}

export async function patchPart(
  db: Queryable,
  args: { ownerId: string; operationId: string; part: number },
): Promise<Uint8Array | undefined> {
  const [row] = await db<{ data: Uint8Array }[]>`
    select data from checkpoint_patches where owner_id = ${args.ownerId} and operation_id = ${args.operationId} and part = ${args.part}`;
  return row?.data;
}

export async function dropPatchParts(
  tx: Tx,
  args: { ownerId: string; operationId: string },
): Promise<void> {
  await tx`delete from checkpoint_patches where owner_id = ${args.ownerId} and operation_id = ${args.operationId}`;
}

export async function insertSnapshot(
  tx: Tx,
  row: Pick<
    SnapshotRow,
    | 'ownerId'
    | 'contractId'
    | 'taskId'
    | 'epoch'
    | 'snapshotType'
    | 'messageSeq'
    | 'messageCount'
    | 'schemaVersion'
    | 'sha256'
  > & {
    state: Record<string, unknown>;
    metadata: Record<string, unknown>;
  },
): Promise<SnapshotRow> {
  const [made] = await tx<SnapshotRow[]>`
    insert into conversation_snapshots ${tx({ ...row, state: tx.json(row.state as never), metadata: tx.json(row.metadata as never) } as never)} returning *`;
  return made as SnapshotRow;
}

/** Newest first; quarantined ones are not among them. */
export async function snapshotsOf(
  db: Queryable,
  args: { taskId: string; limit: number },
): Promise<SnapshotRow[]> {
  return db<SnapshotRow[]>`
    select * from conversation_snapshots where task_id = ${args.taskId} and quarantined_reason is null order by id desc limit ${args.limit}`;
}

/** Those that were built by themselves, but for the newest; what was set aside stays for whoever looks. */
export async function pruneSnapshots(
  tx: Tx,
  args: { taskId: string; keep: number },
): Promise<void> {
  await tx`
    delete from conversation_snapshots
     where task_id = ${args.taskId} and snapshot_type = 'auto' and quarantined_reason is null
       and id <= (select id from conversation_snapshots
                   where task_id = ${args.taskId} and snapshot_type = 'auto' and quarantined_reason is null
                   order by id desc offset ${args.keep} limit 1)`;
}

export async function quarantineSnapshot(
  tx: Tx,
  args: { id: string; reason: string },
): Promise<void> {
  await tx`update conversation_snapshots set quarantined_reason = ${args.reason} where id = ${args.id} and quarantined_reason is null`;
}
