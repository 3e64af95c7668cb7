/**
 * Messages for one agent, in order, each given once, each with its receipts told to the server.
 *
 * Law: the message's id is the idempotency key on both sides: one that comes again is answered with what is
 * known of it. Nothing is told of a message that the agent did not read before its end: the server still
 * holds it and gives it to the next attempt.
 */
import type { AgentMessage } from '@makima/contracts/socket/commands';
import type { ReportOf } from '@makima/contracts/socket/reports';

export type ReceiptState = ReportOf<'message.received'>['state'];

/** An agent that does not take a message in so many tries will not. */
const triesPerMessage = 3;

export interface MailboxOptions {
  /** Tells the server what became of a message. */
  readonly report: (messageId: string, state: ReceiptState) => void;
}

/** How a message is handed to the agent; resolves when the agent has taken it over. */
export type Handover = (message: AgentMessage) => Promise<void>;

export interface Mailbox {
  post(message: AgentMessage): void;
  /** The agent runs: what waits is handed over, then whatever comes. */
  open(handover: Handover): void;
  /** A receipt of the agent's. Ids that are no message of the server's are ignored. */
  receipt(messageId: string, state: 'queued' | 'delivered' | 'done' | 'cancelled'): void;
  /** The first waiting message, handed over by other means (as the prompt of a resume). */
  takeFirst(): AgentMessage | null;
  /** Messages that the agent has not read. */
  readonly waiting: number;
  /** The agent reads no more. */
  close(): void;
}

export function createMailbox(options: MailboxOptions): Mailbox {
  const states = new Map<string, ReceiptState | 'posted'>();
  const queue: AgentMessage[] = [];
  let handover: Handover | null = null;
  let [closed, handing] = [false, false];

  const settle = (id: string, state: ReceiptState): void => {
    const before = states.get(id);
    if (before === state || before === 'done' || before === 'refused') return;
    if (before === 'delivered' && state === 'queued') return;
    states.set(id, state);
    options.report(id, state);
  };
  const handOn = async (): Promise<void> => {
    if (handing) return;
    handing = true;
    let tries = 0;
    for (let next = queue[0]; next !== undefined && handover !== null; next = queue[0]) {
      try {
        tries += 1;
        await handover(next);
      } catch {
        if (tries < triesPerMessage) continue;
        if (!closed) settle(next.id, 'refused');
      }
      tries = 0;
      if (queue[0] === next) queue.shift();
    }
    handing = false;
  };

  return {
    post(message) {
      const known = states.get(message.id);
      if (known !== undefined) {
        if (known !== 'posted') options.report(message.id, known);
        return;
      }
      states.set(message.id, 'posted');
      if (closed) return;
      queue.push(message);
      void handOn();
    },
    open(how) {
      handover = how;
      void handOn();
    },
    receipt(messageId, state) {
      if (states.has(messageId)) settle(messageId, state === 'cancelled' ? 'refused' : state);
    },
    takeFirst: () => queue.shift() ?? null,
    get waiting() {
      return [...states.values()].filter(isUnread).length;
    },
    close() {
      closed = true;
      handover = null;
      queue.length = 0;
    },
  };
}

const isUnread = (state: string): boolean => state === 'posted' || state === 'queued';
