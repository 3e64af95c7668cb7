/** Glyph and colour of a task, in the grammar of all surfaces. */
import type { Task } from '@makima/contracts/entity/task';
import type { Attention } from '@makima/domain/attention-rank';
import type { TaskStatus } from '@makima/domain/task';
import { glyphOf, tintOf } from './attention.ts';
import type { Colors } from './io.ts';

const attentionOf: Readonly<Record<TaskStatus, Attention>> = {
  pending: 'queued',
  starting: 'running',
  running: 'running',
  done: 'done',
  failed: 'failed',
  interrupted: 'queued',
  paused: 'paused',
  merged: 'done',
  cancelled: 'archived',
};

/** Who waits without a process is no less under way; who is out of its quota runs on paper only. */
function attention(task: Task): Attention {
  if (task.session === 'parked') return 'running';
  return task.session === 'limited' ? 'limited' : attentionOf[task.status];
}

/** The status in one word: how it rests says more than that it is paused. */
export function statusWord(task: Task): string {
  return task.session === 'parked' || task.session === 'limited' ? task.session : task.status;
}

export const taskGlyph = (task: Task): string => glyphOf(attention(task));

export const tintTask = (text: string, task: Task, colors: Colors): string =>
  tintOf(attention(task))(text, colors);
