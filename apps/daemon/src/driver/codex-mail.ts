/**
 * Messages on their way into a conversation with Codex. Codex runs a message as often as it is given it, and
 * forgets one that it has taken and not read when its turn is broken off; here both are mended.
 *
 * Law: a message is known by its id. It is `delivered` when it stands in the conversation's file (and so is
 * known to whoever resumes it), never before; one that was handed over and not read is handed over again.
 */
import type { DialectLink } from './dialect.ts';
import type { AgentMessage } from './driver.ts';

export interface CodexMail {
  post(message: AgentMessage, when: 'now' | 'next' | 'later'): void;
  /** Codex has taken it into its turn; the file follows. */
  seen(messageId: string): void;
  /** The message stands in the conversation's file. */
  filed(messageId: string): void;
  /** A message was taken into a turn and does not stand in the file yet. */
  waitsForFile(): boolean;
  /** Something is on its way that the model will be asked about. */
  hasMore(): boolean;
  /** Codex has ended that turn, and its end is not told: it goes on in a further one. */
  turnGoesOn(turnId: string): void;
  /** What was read is done; what is left begins the next turn. */
  turnOver(turnId: string): void;
}

export interface CodexMailOptions {
  readonly link: DialectLink;
  /** Messages that the conversation knows from before. */
  readonly known: readonly string[];
  /** Gives Codex a message; tells into which turn it was taken. */
  readonly hand: (message: AgentMessage, taken: (turnId: string) => void) => void;
  readonly working: () => boolean;
  readonly interrupt: () => void;
}

type State = 'queued' | 'delivered' | 'done';

interface Handed {
  readonly message: AgentMessage;
  turnId: string | null;
  isSeen: boolean;
}

/** Turns that ended a moment ago may still be named by an answer that is on its way. */
const endedKept = 8;

export function codexMail(options: CodexMailOptions): CodexMail {
  const { link } = options;
  const states = new Map<string, State>(options.known.map((id) => [id, 'done']));
  const handed = new Map<string, Handed>();
  const held: AgentMessage[] = [];
  const ended: string[] = [];

  const tell = (id: string, state: State) => {
    states.set(id, state);
    link.emit({ t: 'message', id, state });
  };
  const hand = (message: AgentMessage) => {
    const passed: Handed = { message, turnId: null, isSeen: false };
    handed.set(message.id, passed);
    options.hand(message, (turnId) => {
      if (!states.has(message.id)) tell(message.id, 'queued');
      if (handed.get(message.id) !== passed) return;
      passed.turnId = turnId;
      if (ended.includes(turnId)) handSoon();
    });
  };
  /** Not in the same breath: who breaks a turn off to end the process closes its input first. */
  const handSoon = () => {
    setImmediate(() => {
      for (const { message, turnId, isSeen } of handed.values()) {
        if (!isSeen && turnId !== null && ended.includes(turnId)) hand(message);
      }
      for (const message of held.splice(0)) hand(message);
    });
  };
  const over = (turnId: string) => {
    ended.push(turnId);
    if (ended.length > endedKept) ended.shift();
    if (handed.size > 0 || held.length > 0) handSoon();
  };

  return {
    post(message, when) {
      const state = states.get(message.id);
      if (state !== undefined) {
        tell(message.id, state);
      } else if (when === 'next' || !options.working()) {
        hand(message);
      } else {
        if (when === 'now') held.unshift(message);
        else held.push(message);
        tell(message.id, 'queued');
        if (when === 'now') options.interrupt();
      }
    },
    seen(messageId) {
      const passed = handed.get(messageId);
      if (passed !== undefined) passed.isSeen = true;
    },
    filed(messageId) {
      handed.delete(messageId);
      if (states.get(messageId) !== 'done') tell(messageId, 'delivered');
    },
    waitsForFile: () => [...handed.values()].some(({ isSeen }) => isSeen),
    hasMore: () => held.length > 0 || [...handed.values()].some(({ isSeen }) => !isSeen),
    turnGoesOn: over,
    turnOver(turnId) {
      for (const [id, state] of states) if (state === 'delivered') tell(id, 'done');
      over(turnId);
    },
  };
}
