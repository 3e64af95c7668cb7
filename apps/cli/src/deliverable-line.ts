/**
 * A deliverable with its evidence in one line: what a person who confirms a phase should see.
 *
 * Law: reads whatever the server tells of it; what it does not know it leaves out.
 */
import { oneLine } from './plain.ts';

type Loose = Readonly<Record<string, unknown>>;

/** `plan-document by planner: file PLAN.md at f7c09af58b`. */
export function deliverableLine(item: Loose): string {
  const by = textOf(item, 'completedBy');
  const stale = textOf(item, 'staleReason');
  const done =
    item['completed'] === false ? ', not done' : stale === '' ? '' : `, stale (${stale})`;
  const evidence = Array.isArray(item['evidence']) ? (item['evidence'] as Loose[]) : [];
  const shown = evidence.map(evidenceText).filter((text) => text !== '');
  return oneLine(
    `${textOf(item, 'id')}${done}${by === '' ? '' : ` by ${by}`}` +
      (shown.length === 0 ? '' : `: ${shown.join('; ')}`),
  );
}

function evidenceText(evidence: Loose): string {
  const command = Array.isArray(evidence['command'])
    ? evidence['command'].map(String).join(' ')
    : '';
  const what =
    textOf(evidence, 'path') || command || textOf(evidence, 'taskId') || textOf(evidence, 'text');
  const at = textOf(evidence, 'commit').slice(0, 10);
  return `${textOf(evidence, 'kind')} ${what}${at === '' ? '' : ` at ${at}`}`.trim();
}

function textOf(item: Loose, name: string): string {
  const value = item[name];
  return typeof value === 'string' ? value : '';
}
