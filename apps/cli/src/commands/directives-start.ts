/** `makima directives start`: another agent for a directive. */
import { tellDone } from '../act.ts';
import { directiveId } from '../find-directive.ts';
import type { Shell } from '../shell.ts';
import { given, wordsOf } from '../supervisor/verb.ts';

interface Options {
  readonly name?: string;
  readonly plan?: string;
  readonly agent?: string;
  readonly model?: string;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const id = await directiveId(client, typed);
  const { name, agent, model } = options;
  const plan = options.plan === undefined ? undefined : await wordsOf(shell, options.plan);
  const task = await client.call('startDirectiveTask', {
    params: { id },
    body: given({ name, plan, agent, model }),
  });
  tellDone(shell, task, task.id);
  shell.say(
    `${task.name} starts when a machine has room.  Follow it: makima tasks output ${task.id}`,
  );
}
