/** `makima contracts supervisor`: what leads it, what it does, and when it was last heard of. */
import { isMakimaError } from '@makima/domain/error';
import { renderFacts } from '../facts.ts';
import { contractId } from '../find.ts';
import type { Shell } from '../shell.ts';
import { ago } from '../time.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly sync?: true },
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  if (options.sync === true) {
    const synced = await client.call('syncSupervisor', { params: { id } });
    if (synced.corrected_from !== null)
      shell.say(`It was shown as ${synced.corrected_from}; by its rows it is ${synced.state}.`);
  }
  const status = await client
    .call('supervisorStatus', { params: { id } })
    .catch((error: unknown) => {
      // The facts stand beside the refusal: whoever asks by hand wants to see both.
      if (isMakimaError(error) && error.code === 'SUPERVISOR_DEAD' && shell.format !== 'json')
        shell.print(renderFacts(factsOf(shell, error.details), shell.screen));
      throw error;
    });
  if (shell.format === 'json') shell.json(status);
  else shell.print(renderFacts(factsOf(shell, status), shell.screen));
}

function factsOf(
  shell: Shell,
  status: Readonly<Record<string, unknown>>,
): (readonly [string, string | null])[] {
  const text = (name: string): string | null => {
    const value = status[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
  };
  const count = (name: string): string | null => {
    const value = status[name];
    return Array.isArray(value) && value.length > 0 ? String(value.length) : null;
  };
  const moment = (name: string): string | null => {
    const at = text(name);
    return at === null ? null : ago(at, shell.nowMs());
  };
  return [
    ['task', text('task_id')],
    ['state', text('state')],
    ['activity', text('current_activity')],
    ['phase', text('phase')],
    ['progress', text('progress')],
    ['heartbeat', moment('last_heartbeat')],
    ['session', text('session')],
    ['epoch', text('epoch')],
    ['restorations', text('restoration_count')],
    ['restored', moment('last_restored_at')],
    ['restored by', text('restoration_source')],
    ['tasks', count('spawned_task_ids')],
    ['waits for', count('pending_task_ids')],
    ['questions', count('pending_question_ids')],
    ['messages', text('message_count')],
    ['checkpoint', text('last_checkpoint_id')],
    ['error', text('error_message')],
  ];
}
