/** `makima supervisor deliverable`: done, with evidence. */
import type { Shell } from '../shell.ts';
import {
  contractOf,
  given,
  runVerb,
  tasksOf,
  type Value,
  type VerbOptions,
  word,
} from '../supervisor/verb.ts';

interface DeliverableOptions extends VerbOptions {
  readonly file?: readonly string[];
  readonly merged?: readonly string[];
  readonly word?: readonly string[];
  readonly phase?: string;
}

export async function run(
  shell: Shell,
  [deliverableId, command]: readonly [string, readonly string[]],
  options: DeliverableOptions,
): Promise<number> {
  const input = given({
    ...(await contractOf(shell, options)),
    deliverableId,
    phase: options.phase,
    evidence: await evidenceOf(shell, command, options),
  });
  return runVerb(
    shell,
    { tool: 'makima_deliverable', input },
    {
      ...options,
      tell: ({ note }) => `${deliverableId} is done. ${word(note)}`.trim(),
    },
  );
}

async function evidenceOf(
  shell: Shell,
  command: readonly string[],
  { file = [], merged = [], word: said = [] }: DeliverableOptions,
): Promise<readonly Value[]> {
  return [
    ...file.map((path) => ({ kind: 'file', path })),
    ...(await tasksOf(shell, merged)).map((taskId) => ({ kind: 'merged', taskId })),
    ...(command.length === 0 ? [] : [{ kind: 'command', command }]),
    ...said.map((text) => ({ kind: 'word', text })),
  ];
}
