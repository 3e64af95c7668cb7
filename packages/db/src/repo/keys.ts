/** Keys, users and enrolments. */
import type { AttemptState } from '@makima/domain/task';
import type { Queryable, Tx } from '../client.ts';
import type { EnrolmentRow, KeyRow, UserRow } from '../rows.ts';

export async function insertKey(
  tx: Tx,
  row: Partial<KeyRow> & Pick<KeyRow, 'id' | 'ownerId' | 'kind' | 'name' | 'hash' | 'scopes'>,
): Promise<KeyRow> {
  const [made] = await tx<KeyRow[]>`insert into keys ${tx(row as never)} returning *`;
  return made as KeyRow;
}

export interface KeyWithBearer extends KeyRow {
  readonly userName: string | null;
  readonly userRole: UserRow['role'] | null;
  readonly daemonName: string | null;
  readonly daemonStatus: string | null;
  readonly taskName: string | null;
  readonly taskDirectiveId: string | null;
  readonly taskIsSupervisor: boolean | null;
  readonly taskCurrentAttempt: number | null;
  readonly attemptState: AttemptState | null;
  readonly live: boolean;
}

/** A key with whom it stands for; `live`: neither revoked nor expired by the database's clock. */
export async function findKey(
  db: Queryable,
  args: { id: string },
): Promise<KeyWithBearer | undefined> {
  const [row] = await db<KeyWithBearer[]>`
    select k.*, u.name as user_name, u.role as user_role, d.name as daemon_name, d.status as daemon_status,
           t.name as task_name, t.directive_id as task_directive_id, t.is_supervisor as task_is_supervisor, t.current_attempt as task_current_attempt, a.state as attempt_state,
           (k.revoked_at is null and (k.expires_at is null or k.expires_at > clock())) as live
      from keys k
      left join users u on u.id = k.user_id
      left join daemons d on d.id = k.daemon_id
      left join tasks t on t.id = k.task_id
      left join task_attempts a on a.task_id = k.task_id and a.attempt = k.attempt
     where k.id = ${args.id}`;
  return row;
}

/** Written at most once a minute per key. */
export async function useKey(db: Queryable, args: { id: string }): Promise<void> {
  await db`update keys set last_used_at = clock() where id = ${args.id} and (last_used_at is null or last_used_at < clock() - interval '1 minute')`;
}

export async function keysOf(db: Queryable, args: { ownerId: string }): Promise<KeyRow[]> {
  return db<
    KeyRow[]
  >`select * from keys where owner_id = ${args.ownerId} and kind in ('user', 'daemon') order by id`;
}

export async function revokeKeyRow(
  tx: Tx,
  args: { ownerId: string; id: string },
): Promise<KeyRow | undefined> {
  const [row] = await tx<KeyRow[]>`
    update keys set revoked_at = coalesce(revoked_at, clock()) where owner_id = ${args.ownerId} and id = ${args.id} returning *`;
  return row;
}

/** Tool keys of older attempts die when a new one begins. */
export async function revokeToolKeys(
  tx: Tx,
  args: { taskId: string; belowAttempt: number },
): Promise<void> {
  await tx`update keys set revoked_at = clock() where task_id = ${args.taskId} and attempt < ${args.belowAttempt} and revoked_at is null`;
}

export async function firstOwner(db: Queryable): Promise<{ id: string } | undefined> {
  const [row] = await db<{ id: string }[]>`select id from owners order by id limit 1`;
  return row;
}

export async function insertOwner(
  tx: Tx,
  args: { name: string; userName: string },
): Promise<{ ownerId: string; userId: string }> {
  const [owner] = await tx<
    { id: string }[]
  >`insert into owners (name) values (${args.name}) returning id`;
  const ownerId = owner?.id ?? '';
  const [user] = await tx<{ id: string }[]>`
    insert into users (owner_id, name, role) values (${ownerId}, ${args.userName}, 'owner') returning id`;
  return { ownerId, userId: user?.id ?? '' };
}

export async function insertEnrolment(
  tx: Tx,
  row: Pick<EnrolmentRow, 'id' | 'ownerId' | 'name' | 'hash' | 'createdByKeyId' | 'expiresAt'>,
): Promise<void> {
  await tx`insert into enrolments ${tx(row as never)}`;
}

/** Use a one-time token; undefined when it is unknown, used or too old. */
export async function useEnrolment(
  tx: Tx,
  args: { id: string; hash: string },
): Promise<EnrolmentRow | undefined> {
  const [row] = await tx<EnrolmentRow[]>`
    update enrolments set used_at = clock() where id = ${args.id} and hash = ${args.hash} and used_at is null and expires_at > clock() returning *`;
  return row;
}

/** Machines */
export async function insertDaemon(
  tx: Tx,
  row: { ownerId: string; name: string; host: string },
): Promise<{ id: string }> {
  const [made] = await tx<{ id: string }[]>`insert into daemons ${tx(row)} returning id`;
  return made ?? { id: '' };
}

export async function daemonNames(tx: Tx, args: { ownerId: string }): Promise<string[]> {
  const rows = await tx<
    { name: string }[]
  >`select name from daemons where owner_id = ${args.ownerId}`;
  return rows.map((row) => row.name);
}
