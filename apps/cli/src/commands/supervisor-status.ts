/** `makima supervisor status`: where things stand. */
import { renderFacts } from '../facts.ts';
import type { Shell } from '../shell.ts';
import {
  callVerb,
  contractOf,
  tellAnswer,
  type Value,
  type VerbOptions,
  word,
} from '../supervisor/verb.ts';

interface Owed {
  readonly id: string;
  readonly phase: string;
  readonly required: boolean;
  readonly completed: boolean;
}

export async function run(shell: Shell, _args: readonly [], options: VerbOptions): Promise<number> {
  const input = await contractOf(shell, options);
  const answer = await callVerb(shell, { tool: 'makima_status', input }, options);
  return tellAnswer(shell, answer, (value) => renderFacts(factsOf(value), shell.screen));
}

function factsOf(value: Value): (readonly [string, string | null])[] {
  const text = (name: string): string | null => word(value[name]) || null;
  const list = (name: string): string => ((value[name] ?? []) as readonly string[]).join(', ');
  const counts = Object.entries((value['taskCounts'] ?? {}) as Readonly<Record<string, number>>);
  const owed = (value['deliverables'] ?? []) as readonly Owed[];
  return [
    ['name', text('name')],
    ['id', text('id')],
    ['status', text('status')],
    ['phase', text('phase')],
    ['phases', list('phases')],
    ['guarded', list('guardedPhases')],
    ['missing', list('missing')],
    [
      'owed',
      owed
        .filter((one) => !one.completed)
        .map((one) => `${one.phase}/${one.id}`)
        .join(', '),
    ],
    ['tasks', counts.map(([status, count]) => `${count} ${status}`).join(', ')],
    ['questions', text('openQuestions')],
    ['attempt', text('attempt')],
    ['branch', text('branch')],
  ];
}
