/** The domain's judgement on the wire: moments in ISO 8601. */
import type { Why as WireWhy } from '@makima/contracts/entity/why';
import type { Why } from '@makima/domain/why-blocker';

export function presentWhy(why: Why): WireWhy {
  return {
    ...why,
    blockers: why.blockers.map((item) => ({ ...item, since: item.since?.toISOString() ?? null })),
  };
}
