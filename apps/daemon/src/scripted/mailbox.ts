/**
 * Messages to a scripted agent: taken over (receipt `queued`), read at the next pause (`delivered`), and over
 * with the turn that read them (`done`). A read letter lies there until a step or an answer has used it.
 *
 * Law: an id that the conversation knows is never taken over again, whatever process it is told to; its
 * present receipt is repeated.
 */
import { movedStart } from '@makima/domain/moved';
import { digestStart, noticeStart, startedAnew } from '@makima/domain/notice';
import type { Conversation, Entry } from './conversation.ts';
import type { FromAgent } from './protocol.ts';

export interface Letter {
  readonly id: string;
  readonly text: string;
  /** Not to be read before the running turn is over. */
  readonly later: boolean;
}

export interface Mailbox {
  /** A message came in. */
  take(letter: Letter): void;
  /** Reads what lies unread (`between` turns: also what may wait); notices and digests are told apart. */
  read(when: { readonly between: boolean }): {
    readonly letters: readonly Letter[];
    readonly notices: readonly Letter[];
  };
  /** Letters that were read and not yet used, oldest first. */
  open(): readonly Letter[];
  /** The oldest of them that contains the words. */
  oldest(containing: string): Letter | null;
  used(id: string): void;
  /** How often the agent was told of a restoration, and the last notice; null: never. */
  restored(): { readonly count: number; readonly notice: string } | null;
  /** Words that its directory is another one, all that were ever read. */
  moves(): readonly Letter[];
  /** The turn is over: receipts of what was read in it. */
  turnOver(): void;
  /** Resolves when a message is taken over; at once when one lies unread that may be read now. */
  arrival(when: { readonly between: boolean }): Promise<void>;
}

type Receipt = 'queued' | 'delivered' | 'done';

interface Desk {
  readonly receipts: Map<string, Receipt>;
  unread: Letter[];
  /** Read and not yet used. */
  open: Letter[];
  notices: Letter[];
}

/** How notices begin: the server's, and the daemon's own after it had to start an agent anew. */
const restorationSigns = [noticeStart, startedAnew];
/** What tells an agent how things stand and asks nothing of its script. */
const noticeSigns = [...restorationSigns, digestStart, movedStart];
const hasOne = (signs: readonly string[], { text }: Letter) =>
  signs.some((sign) => text.includes(sign));
const isNotice = (letter: Letter) => hasOne(noticeSigns, letter);
export const isRestoration = (letter: Letter) => hasOne(restorationSigns, letter);
const isMove = ({ text }: Letter) => text.startsWith(movedStart);

export function mailbox(conversation: Conversation, emit: (line: FromAgent) => void): Mailbox {
  const desk: Desk = { receipts: new Map(), unread: [], open: [], notices: [] };
  for (const entry of conversation.entries) file(desk, entry);
  let waiting: (() => void)[] = [];
  const write = (entry: Entry) => {
    conversation.append(entry);
    file(desk, entry);
  };
  const tell = (id: string) => {
    emit({ t: 'message', id, state: desk.receipts.get(id) ?? 'queued' });
  };

  return {
    take(letter) {
      const known = desk.receipts.has(letter.id);
      if (!known) write({ t: 'message', ...letter });
      tell(letter.id);
      if (known) return;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    read({ between }) {
      const now = desk.unread.filter((letter) => between || !letter.later);
      for (const letter of now) {
        write({ t: 'read', id: letter.id });
        tell(letter.id);
      }
      return {
        letters: now.filter((letter) => !isNotice(letter)),
        notices: now.filter((letter) => isNotice(letter)),
      };
    },
    open: () => desk.open,
    oldest: (containing) => desk.open.find((letter) => letter.text.includes(containing)) ?? null,
    used(id) {
      if (desk.open.some((letter) => letter.id === id)) write({ t: 'used', id });
    },
    restored() {
      const all = desk.notices.filter(isRestoration);
      const last = all.at(-1);
      return last === undefined ? null : { count: all.length, notice: last.text };
    },
    moves: () => desk.notices.filter(isMove),
    turnOver() {
      // The end of the turn stands in the conversation already; here it is only told.
      for (const [id, receipt] of desk.receipts) {
        if (receipt !== 'delivered') continue;
        desk.receipts.set(id, 'done');
        tell(id);
      }
    },
    arrival: ({ between }) =>
      desk.unread.some((letter) => between || !letter.later)
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
  };
}

/** Moves letters as one entry of the conversation says. */
function file(desk: Desk, entry: Entry): void {
  if (entry.t === 'message') {
    desk.receipts.set(entry.id, 'queued');
    desk.unread.push({ id: entry.id, text: entry.text, later: entry.later });
  } else if (entry.t === 'read') {
    desk.receipts.set(entry.id, 'delivered');
    for (const letter of desk.unread.filter(({ id }) => id === entry.id)) {
      (isNotice(letter) ? desk.notices : desk.open).push(letter);
    }
    desk.unread = desk.unread.filter(({ id }) => id !== entry.id);
  } else if (entry.t === 'used') {
    desk.open = desk.open.filter(({ id }) => id !== entry.id);
  } else if (entry.t === 'script') {
    desk.open = desk.open.filter(({ id }) => id !== entry.letter);
  } else if (entry.t === 'turn_end') {
    for (const [id, receipt] of desk.receipts) {
      if (receipt === 'delivered') desk.receipts.set(id, 'done');
    }
  }
}
