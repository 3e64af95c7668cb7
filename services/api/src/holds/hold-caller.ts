/** Who is held, how long, and how it learns that it still is: shared by routes and tools. */
import type { Principal } from '@makima/engine/principal';
import type { Api } from '../context.ts';
import type { HoldOptions } from '../wait.ts';

export interface HoldCaller {
  readonly api: Api;
  readonly caller: Principal;
  readonly signal: AbortSignal;
  readonly holdMs: number;
  /** Told while it is held; for tools whose client asked for progress. */
  readonly beats?: Pick<HoldOptions<unknown>, 'onBeat' | 'beatMs'> | undefined;
}

/** Longest hold of one HTTP request: many clients give up on an answer that has not begun after 300 s. */
export const requestHoldMs = 295_000;
