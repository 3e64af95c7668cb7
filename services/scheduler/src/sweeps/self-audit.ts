/**
 * Sweep: whether the stored rows add up. What does not is an incident; what verbs can put right, they do.
 *
 * Law: not while those who live have not been heard of since the store came back; one process at a time.
 */
import { auditInvariants, countViolations } from '@makima/engine/self-audit/look';
import type { Settled } from './settled.ts';
import { createSweep, type Sweep, type SweepDeps } from './sweep.ts';

export function selfAudit(
  deps: SweepDeps & { readonly settled: Settled; readonly auditMs: number },
): Sweep {
  const { engine, log, metrics } = deps;
  const violations = metrics.counter({
    name: 'makima_audit_violations_total',
    help: 'Rows that broke an invariant, each cause once until it is closed.',
    labels: ['kind'],
  });
  metrics.gauge({
    name: 'makima_incidents_open',
    help: 'Broken invariants that are not put right yet.',
    labels: ['kind'],
    collect: async (gauge) => {
      for (const [kind, open] of await countViolations(engine)) gauge.set({ kind }, open);
    },
  });
  let looks = 0;
  return createSweep(deps, {
    name: 'self-audit',
    intervalMs: deps.auditMs,
    who: 'one',
    limit: Number.POSITIVE_INFINITY,
    // By no silence: only a store that is calm is looked at.
    when: () => deps.settled({ silentMs: 0 }),
    round: () => {
      const part = looks % historyParts;
      looks += 1;
      return auditInvariants(engine, {
        limit: perKindMax,
        histories: { recentMs: 3 * deps.auditMs, part, parts: historyParts },
        opened: (kind) => {
          violations.inc({ kind });
          log.warn({ kind }, 'an invariant is broken');
        },
      });
    },
  });
}

const perKindMax = 200;

/** After so many looks every history was counted in whole. */
const historyParts = 60;
