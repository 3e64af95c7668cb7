/**
 * What a contract stands still for, or what its end still waits for, said beside its story: a story that is silent
 * looks like one that goes on.
 *
 * Law: each reason is said once; what the story tells anyway (questions, guards, the end) is not said again;
 * a server that cannot be asked is no reason, the story says that it is away. What only a person moves is handed
 * on when it stands so at two looks in a row.
 */
import type { Client } from '@makima/client/client';
import { pause } from '@makima/client/pause';
import type { Why } from '@makima/contracts/entity/why';
import { oneLine } from './plain.ts';
import type { Shell } from './shell.ts';
import { wrap } from './wrap.ts';

type Blocker = Why['blockers'][number];

/** So long may nothing happen before it is asked why. */
const quietMs = 3_000;
const toldByTheStory = new Set(['question', 'guard', 'done']);

/** What no waiting will mend, of a contract that stands still; undefined while it moves. */
export function standstillOf(why: Why): Blocker | undefined {
  const [first] = why.blockers;
  if (why.moving || first === undefined || toldByTheStory.has(first.kind)) return undefined;
  return first;
}

export function sayStandstill(shell: Shell, { reason, act }: Blocker): void {
  const { colors, columns } = shell.screen;
  shell.say(wrap(`${colors.yellow('!')} stands still: ${oneLine(reason)}`, columns, 2));
  if (act !== null) shell.say(`  ${colors.cyan(oneLine(act))}`);
}

/** What a contract that completes is waiting for; undefined while it does anything else. */
export function completionOf(why: Why): string | undefined {
  const [first] = why.blockers;
  if (why.status !== 'completing' || !why.moving) return undefined;
  return first?.reason;
}

function sayCompletion(shell: Shell, reason: string): void {
  const { colors, columns } = shell.screen;
  shell.say(wrap(`${colors.dim('-')} completing: ${oneLine(reason)}`, columns, 2));
}

export interface StandstillWatch {
  /** Something happened. */
  moved(): void;
  stop(): void;
}

export interface StandstillOptions {
  readonly id: string;
  readonly signal: AbortSignal;
  /** It has stood still for a while, and only a person can move it. */
  readonly onStuck: () => void;
}

export function watchStandstill(
  shell: Shell,
  client: Client,
  { id, signal, onStuck }: StandstillOptions,
): StandstillWatch {
  const stopped = new AbortController();
  const over = AbortSignal.any([signal, stopped.signal]);
  let movedAt = performance.now();
  const look = async (): Promise<void> => {
    let said = '';
    for (;;) {
      await pause(Math.max(0, movedAt + quietMs - performance.now()) || quietMs, over);
      if (performance.now() - movedAt < quietMs) continue;
      const why = await client
        .call('whyContract', { params: { id }, signal: over })
        .catch(() => undefined);
      if (why === undefined || over.aborted) continue;
      const completes = completionOf(why);
      if (completes !== undefined && completes !== said) sayCompletion(shell, completes);
      said = completes ?? said;
      const still = standstillOf(why);
      if (still === undefined) continue;
      if (still.reason === said) {
        if (still.whoCanAct === 'person') onStuck();
        continue;
      }
      said = still.reason;
      sayStandstill(shell, still);
    }
  };
  void look().catch(() => {}); // the pause throws when it is over
  return { moved: () => void (movedAt = performance.now()), stop: () => stopped.abort() };
}
