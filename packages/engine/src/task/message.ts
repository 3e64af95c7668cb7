/** A message of a person or a supervisor to an agent: queued, steering, or interrupting. */
import { isTaskFinal } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { readableTask, requireLead } from '../authorize.ts';
import { sendMessage } from '../message/send.ts';

export interface MessageInput {
  readonly id: string;
  readonly message: string;
  readonly mode: 'queue' | 'steer' | 'interrupt';
}

export function messageTask(
  engine: Engine,
  call: Call,
  input: MessageInput,
): Promise<Acted<{ messageId: string; taskId: string; state: string }>> {
  return act(engine, call, async (a) => {
    const task = await readableTask(a.tx, a.caller, input.id);
    await requireLead(a, task.contractId, 'send messages');
    if (isTaskFinal(task.status)) {
      throw new MakimaError(
        'INVALID_TRANSITION',
        `a task that is ${task.status} reads no messages`,
        { fix: 'spawn a new task that continues from it' },
      );
    }
    const from = a.caller.kind === 'agent' ? 'supervisor' : 'person';
    const message = await sendMessage(a, {
      taskId: task.id,
      text: input.message,
      mode: input.mode,
      source: from,
      sourceId: null,
    });
    return { messageId: message.id, taskId: task.id, state: message.state };
  });
}
