/**
 * The words of a script: each verb, its short form, what it may and must be given. One table for the parser,
 * the error messages and the reference.
 *
 * Law: a key that is not here is refused with the list of those that are.
 */

export interface VerbShape {
  /** The key that a bare value (`- say: hello`) stands for; null: a map or nothing. */
  readonly short: string | null;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Keys whose values are for somebody else's script: `${…}` in them is left alone. */
  readonly verbatim?: readonly string[];
}

export const verbs = {
  say: { short: 'text', required: ['text'], optional: [] },
  set: { short: 'value', required: ['value'], optional: [] },
  write: { short: null, required: ['file', 'content'], optional: [] },
  append: { short: null, required: ['file', 'content'], optional: [] },
  run: { short: 'args', required: ['args'], optional: ['timeout_ms', 'stdin'] },
  commit: { short: 'message', required: ['message'], optional: [] },
  tool: { short: 'name', required: ['name'], optional: ['args'] },
  spawn: {
    short: null,
    required: ['name'],
    optional: ['plan', 'steps', 'needs', 'agent', 'model', 'extra'],
    verbatim: ['steps'],
  },
  list: { short: null, required: [], optional: [] },
  wait: { short: 'tasks', required: ['tasks'], optional: ['for', 'timeout_seconds'] },
  result: { short: 'task', required: ['task'], optional: [] },
  ask: {
    short: 'question',
    required: ['question'],
    optional: ['choices', 'context', 'multi', 'timeout_seconds'],
  },
  checkpoint: { short: 'message', required: ['message'], optional: [] },
  deliverable: { short: 'id', required: ['id'], optional: ['evidence', 'phase'] },
  advance: { short: 'phase', required: ['phase'], optional: [] },
  merge: { short: 'task', required: ['task'], optional: ['into', 'squash'] },
  diff: { short: 'task', required: ['task'], optional: [] },
  cancel: { short: 'task', required: ['task'], optional: ['reason'] },
  status: { short: null, required: [], optional: [] },
  message: { short: null, required: ['task', 'text'], optional: ['mode'] },
  question: { short: 'text', required: ['text'], optional: ['choices', 'header', 'multi'] },
  wait_message: { short: null, required: [], optional: ['containing', 'timeout_ms'] },
  sleep: { short: 'ms', required: ['ms'], optional: [] },
  crash: { short: null, required: [], optional: ['once'] },
  hang: { short: null, required: [], optional: ['deaf'] },
  fail: { short: 'message', required: ['message'], optional: [] },
  limit: { short: null, required: [], optional: ['resets_in_ms'] },
  spend: {
    short: 'usd',
    required: [],
    optional: ['usd', 'input', 'output', 'cache_read', 'cache_write'],
  },
  done: { short: 'summary', required: [], optional: ['summary'] },
  repeat: { short: 'times', required: [], optional: ['times', 'over', 'name'] },
  when: { short: 'value', required: [], optional: ['value', 'equals', 'not_equals', 'exists'] },
} as const satisfies Record<string, VerbShape>;

export type Verb = keyof typeof verbs;

export const verbNames = Object.keys(verbs) as Verb[];

export function shapeOf(verb: Verb): VerbShape {
  return verbs[verb];
}
