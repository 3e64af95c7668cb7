/**
 * Job `save-state`: build and verify the snapshot that a save point asked for.
 *
 * Law: restoration is right even if this never ran; a snapshot that says what the last one says is not made.
 */
import type { JobHandler } from '@makima/bus/delivery';
import type { Engine } from '@makima/engine/context';
import { saveState as save } from '@makima/engine/supervisor/save-state';

export function saveState(engine: Engine): JobHandler<'save-state'> {
  return async ({ ownerId, taskId, attempt }, { log }) => {
    const caller = { kind: 'system' as const, ownerId, name: 'save-state' };
    const { result } = await save(engine, caller, { taskId, attempt });
    log.debug({ taskId, attempt, outcome: result }, 'state saved');
  };
}
