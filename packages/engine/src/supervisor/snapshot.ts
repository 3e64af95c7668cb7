/**
 * A snapshot of a supervisor: a position in its conversation and the facts around it, with checksum and
 * schema version, checked when it is written and again when it is read.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { supervisorStates } from '@makima/domain/supervisor';
import type { SnapshotRow } from '@makima/db/rows';

export const snapshotSchemaVersion = 1;

const zSavedState = z.strictObject({
  state: z.enum(supervisorStates),
  currentActivity: z.string().nullable(),
  progress: z.int().min(0).max(100),
  phase: z.string(),
  spawnedTaskIds: z.array(z.uuid()),
  awaitedTaskIds: z.array(z.uuid()),
  pendingQuestionIds: z.array(z.uuid()),
  lastCheckpointId: z.uuid().nullable(),
  restorationCount: z.int().nonnegative(),
});
export type SavedState = z.infer<typeof zSavedState>;

/** sha256 of position and state in one fixed order, in hex. */
export function snapshotHash(messageSeq: number, state: SavedState): string {
  const parsed = zSavedState.parse(state);
  return createHash('sha256')
    .update(JSON.stringify([snapshotSchemaVersion, messageSeq, ordered(parsed)]))
    .digest('hex');
}

/** jsonb does not keep the order of keys; the hash must not depend on it. */
function ordered(state: SavedState): unknown[] {
  return Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

export type Checked =
  | { readonly ok: true; readonly state: SavedState }
  | { readonly ok: false; readonly why: string };

export function checkSnapshot(row: SnapshotRow): Checked {
  if (row.schemaVersion > snapshotSchemaVersion)
    return {
      ok: false,
      why: `schema version ${row.schemaVersion} is newer than ${snapshotSchemaVersion}`,
    };
  const parsed = zSavedState.safeParse(row.state);
  if (!parsed.success)
    return {
      ok: false,
      why: `its shape is wrong at ${parsed.error.issues[0]?.path.join('.') || 'the top'}`,
    };
  if (snapshotHash(row.messageSeq, parsed.data) !== row.sha256)
    return { ok: false, why: 'its checksum is wrong' };
  return { ok: true, state: parsed.data };
}
