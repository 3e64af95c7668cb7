/** `makima tasks cancel`: the end of a task by a person; its work is kept. */
import { tellDone } from '../act.ts';
import { taskId } from '../find.ts';
import { confirm, type Shell } from '../shell.ts';

interface Options {
  readonly reason?: string;
  readonly yes?: true;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  await confirm(shell, `cancel task ${typed}`, { yes: options.yes === true });
  const client = await shell.connect();
  const id = await taskId(client, typed);
  const task = await client.call('cancelTask', {
    params: { id },
    body: options.reason === undefined ? {} : { reason: options.reason },
  });
  tellDone(shell, task, `${task.name} is ${task.status}`);
}
