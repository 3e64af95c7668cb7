/** `makima supervisor checkpoint`: everything in a directory, saved as a commit. */
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import { given, runVerb, taskOf, type VerbOptions, word, wordsOf } from '../supervisor/verb.ts';

export async function run(
  shell: Shell,
  [words]: readonly [readonly string[]],
  options: VerbOptions & { readonly task?: string },
): Promise<number> {
  const { task } = options;
  if (task === undefined && !shell.isRun)
    throw usageError('no task is named', 'add --task <contract/task>');
  const input = given({
    message: (await wordsOf(shell, words.join(' '))).trim(),
    taskId: task === undefined ? undefined : await taskOf(shell, task),
  });
  return runVerb(
    shell,
    { tool: 'makima_checkpoint', input },
    {
      ...options,
      tell: ({ checkpointNumber, commitSha }) =>
        `checkpoint ${word(checkpointNumber)} at ${word(commitSha)}`,
    },
  );
}
