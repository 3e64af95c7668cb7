/**
 * What an agent does just now, and whether it only waits: then its process may end and be resumed later.
 *
 * Law: in doubt it works. Who waits has ended its turn with nothing to read, or runs no tool but those that
 * wait for tasks or people.
 */
import type { AgentCaps } from '../driver/driver.ts';
import type { AgentEvent } from '../driver/events.ts';
import type { LiveAttempt } from './live.ts';

export function noteDoing(doing: LiveAttempt['doing'], event: AgentEvent): void {
  if (event.t === 'state') {
    if (event.state === 'working' || event.state === 'retrying') doing.turn = true;
  } else if (event.t === 'tool_start') {
    doing.turn = true;
    doing.tools.set(event.toolId, event.name);
  } else if (event.t === 'tool_end') {
    doing.tools.delete(event.toolId);
  } else if (event.t === 'turn_end') {
    doing.turn = false;
    doing.tools.clear();
  }
}

/** Makima's tools that hold a call until tasks end or a person decides, and agents' own question tools. */
const waitingTools: ReadonlySet<string> = new Set([
  'makima_wait',
  'makima_ask',
  'makima_poll',
  'makima_advance',
  'AskUserQuestion',
]);

/** Whether it may be parked: it only waits, and its kind can go on later. */
export function onlyWaits(
  live: Pick<LiveAttempt, 'agent' | 'asked' | 'doing' | 'ending' | 'mailbox'>,
  caps: Pick<AgentCaps, 'park' | 'resume'>,
): boolean {
  if (!caps.park || caps.resume === 'none') return false;
  if (live.agent === null || live.ending !== null || live.mailbox.waiting > 0) return false;
  return !doesMore(live);
}

/** Whether it is in a turn and does more there than wait. */
export function doesMore({ asked, doing }: Pick<LiveAttempt, 'asked' | 'doing'>): boolean {
  const { turn, tools } = doing;
  if (!turn) return false;
  if (tools.size === 0) return asked.size === 0;
  return [...tools.values()].some((name) => !waitingTools.has(name));
}
