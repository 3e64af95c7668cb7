/** A message of a person or a supervisor to an agent: queued, steering, or interrupting. */
import type { MessageReceipt } from '@makima/contracts/entity/task';
import { isTaskFinal } from '@makima/domain/task';
import { MakimaError } from '@makima/domain/error';
import { touchContract } from '@makima/db/repo/contracts';
import { lockMailbox } from '@makima/db/repo/locks';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { readableTask, requireLead } from '../authorize.ts';
import { presentReceipt } from '../message/receipt.ts';
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
): Promise<Acted<MessageReceipt>> {
  return act(engine, call, async (a) => {
    const seen = await readableTask(a.tx, a.caller, input.id);
    await requireLead(a, seen.contractId, 'send messages');
    // Not the task's row, which would cost it its turn for a place: a task that ends takes this lock too, so
    // that it refuses this message or is seen to have ended.
    await lockMailbox(a.tx, { taskId: seen.id });
    const task = await readableTask(a.tx, a.caller, input.id);
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
    if (task.contractId !== null)
      await touchContract(a.tx, { contractId: task.contractId, progress: 'no' });
    return presentReceipt(message);
  });
}
