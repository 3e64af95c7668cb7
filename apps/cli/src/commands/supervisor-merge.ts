/** `makima supervisor merge`: a task's work into a branch. Conflicts are shown with both sides. */
import { exitCodes } from '../exit-code.ts';
import { oneLine, plain } from '../plain.ts';
import type { Shell } from '../shell.ts';
import {
  callVerb,
  given,
  taskOf,
  tellAnswer,
  type Value,
  type VerbOptions,
  word,
} from '../supervisor/verb.ts';

interface MergeOptions extends VerbOptions {
  readonly into?: string;
  readonly squash?: true;
}

export async function run(
  shell: Shell,
  [task]: readonly [string],
  options: MergeOptions,
): Promise<number> {
  const input = given({
    taskId: await taskOf(shell, task),
    targetBranch: options.into,
    squash: options.squash === true,
  });
  const answer = await callVerb(shell, { tool: 'makima_merge', input }, options);
  const code = tellAnswer(shell, answer, told);
  const refused = !answer.isPending && answer.value['merged'] !== true;
  if (!refused) return code;
  return conflictsOf(answer.value).length > 0 ? exitCodes.conflict : exitCodes.forbidden;
}

interface Conflict {
  readonly path: string;
  readonly ours: string | null;
  readonly theirs: string | null;
  readonly hunks: readonly string[];
}

const conflictsOf = ({ conflicts }: Value): readonly Conflict[] =>
  Array.isArray(conflicts) ? (conflicts as Conflict[]) : [];

function told(value: Value): string {
  const { merged, message, commitSha, note } = value;
  if (merged === true) {
    const how = typeof note === 'string' ? `\n${oneLine(note)}` : '';
    return `${oneLine(word(message))}: ${word(commitSha)}${how}`;
  }
  const sides = conflictsOf(value).map(({ path, ours, theirs, hunks }) => {
    const shown =
      hunks.length > 0 ? hunks.join('\n') : `ours: ${ours ?? '-'}\ntheirs: ${theirs ?? '-'}`;
    return `\n${oneLine(path)}\n${plain(shown)}`;
  });
  return [oneLine(word(message)), ...sides].join('\n');
}
