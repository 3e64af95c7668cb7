/**
 * Reads a session's own events to know where it stands: does a turn run, which tools are open, who waits for
 * which event.
 *
 * Law: everything opened is closed: when a turn or the process ends, tools whose end was never told get one.
 */
import type { AgentEventBody } from './events.ts';

export interface TurnWatch {
  /** Every event passes here before it is queued. */
  see(body: AgentEventBody): void;
  /** A turn runs (it may wait for an answer). */
  working(): boolean;
  /** A turn runs and neither a tool nor a person is what it waits for. */
  silenceIsFault(): boolean;
  /** The last turn ended with a deferred tool call: the agent's exit is no accident. */
  wasDeferred(): boolean;
  /** The agent has taken that message over (and it was not taken back). */
  hasTaken(messageId: string): boolean;
  /** Resolves with the first later event that fits, or null after `limitMs`. */
  until(fits: (body: AgentEventBody) => boolean, limitMs: number): Promise<AgentEventBody | null>;
  /** Ends of everything still open. */
  close(): readonly AgentEventBody[];
}

interface Waiter {
  readonly fits: (body: AgentEventBody) => boolean;
  readonly resolve: (body: AgentEventBody) => void;
}

export function turnWatch(): TurnWatch {
  const openTools = new Set<string>();
  const waiters = new Set<Waiter>();
  const taken = new Set<string>();
  let state: string = 'idle';
  let deferred = false;

  const note = (body: AgentEventBody) => {
    if (body.t === 'state') state = body.state;
    else if (body.t === 'tool_start') openTools.add(body.toolId);
    else if (body.t === 'tool_end') openTools.delete(body.toolId);
    else if (body.t === 'message') {
      if (body.state === 'cancelled') taken.delete(body.id);
      else taken.add(body.id);
    } else if (body.t === 'turn_end') {
      state = 'idle';
      deferred = body.outcome === 'deferred';
    }
  };
  const working = () => state === 'working' || state === 'retrying' || state === 'waiting_input';

  return {
    see(body) {
      note(body);
      for (const waiter of waiters) {
        if (!waiter.fits(body)) continue;
        waiters.delete(waiter);
        waiter.resolve(body);
      }
    },
    working,
    silenceIsFault: () => (state === 'working' || state === 'retrying') && openTools.size === 0,
    wasDeferred: () => deferred,
    hasTaken: (messageId) => taken.has(messageId),
    until: (fits, limitMs) => waitFor(waiters, fits, limitMs),
    close() {
      return [...openTools].map((toolId) => ({
        t: 'tool_end' as const,
        toolId,
        ok: false,
        output: '',
        truncated: false,
        cause: 'unseen' as const,
      }));
    },
  };
}

function waitFor(
  waiters: Set<Waiter>,
  fits: Waiter['fits'],
  limitMs: number,
): Promise<AgentEventBody | null> {
  return new Promise((resolve) => {
    const waiter: Waiter = {
      fits,
      resolve: (body) => {
        clearTimeout(timer);
        resolve(body);
      },
    };
    const timer = setTimeout(() => {
      waiters.delete(waiter);
      resolve(null);
    }, limitMs);
    waiters.add(waiter);
  });
}
