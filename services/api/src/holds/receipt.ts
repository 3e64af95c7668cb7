/** Holding until an agent has read a message, or never will. */
import { channels } from '@makima/contracts/channels';
import type { MessageReceipt } from '@makima/contracts/entity/task';
import { readReceipt } from '@makima/engine/message/receipt';
import { keyIdOf } from '../idempotency.ts';
import type { Held } from '../wait.ts';
import type { HoldCaller } from './hold-caller.ts';

const rereadMs = 2_000;

export function holdForReceipt(hold: HoldCaller, messageId: string): Promise<Held<MessageReceipt>> {
  const { api, caller, signal } = hold;
  return api.holds.hold({
    holder: keyIdOf(caller),
    channels: [channels.messageReceived(messageId)],
    holdMs: hold.holdMs,
    rereadMs,
    signal,
    read: () => readReceipt(api.engine, caller, { id: messageId }),
    isOver: ({ state }) => state === 'delivered' || state === 'refused',
    ...hold.beats,
  });
}
