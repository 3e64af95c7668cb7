// One part of the checks, asked until somebody answers.
// Why: a query whose connection died in a bad moment never ends, and a check that waits for it would never tell.
// Law: bounded and told: what got no answer is a finding of its own, and what it found halfway counts for nothing.
import type { House } from '../house/house.ts';
import { inTime } from '../pause.ts';
import { clean, type Verdict } from './verdict.ts';

const tries = 3;

export async function ask(
  house: Pick<House, 'renewOracle'>,
  what: string,
  into: Verdict,
  work: (part: Verdict) => Promise<void>,
  withinMs = 120_000,
): Promise<void> {
  let why = '';
  for (let left = tries; left > 0; left -= 1) {
    const part = clean();
    const outcome = await inTime(
      work(part).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
      withinMs,
    );
    if (outcome === null) {
      into.lost.push(...part.lost);
      into.doubled.push(...part.doubled);
      into.broken.push(...part.broken);
      return;
    }
    why = outcome ?? `nothing within ${withinMs / 1_000} s`;
    house.renewOracle();
  }
  into.broken.push(`nobody answers about ${what}: ${why}`);
}
