/**
 * What must hold of a start before anything is begun, for all kinds.
 *
 * Law: a wish that the kind cannot honour is refused, never dropped: an agent that nobody holds is not started
 * as one that asks.
 */
import { statSync } from 'node:fs';
import type { AgentCaps, StartSpec } from './driver.ts';
import { startFailure } from './start-failure.ts';

/** @throws MakimaError reason `bad_spec` */
export function requireSpec(spec: StartSpec, caps: AgentCaps): void {
  requireDirectory(spec.cwd);
  if (spec.permission !== 'bypass' && !caps.permissions) {
    throw startFailure('bad_spec', `This kind of agent cannot be held to "${spec.permission}".`, {
      fix: 'Start it with permission "bypass", or choose a kind that asks.',
    });
  }
  const { maxTurns, maxBudgetUsd } = spec.limits ?? {};
  if (caps.turnLimits || (maxTurns === undefined && maxBudgetUsd === undefined)) return;
  throw startFailure('bad_spec', 'This kind of agent knows no limit of turns or of its budget.', {
    fix: 'Start it without them, or choose a kind that keeps them.',
  });
}

/** @throws MakimaError reason `bad_spec` */
export function requireDirectory(cwd: string): void {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw startFailure('bad_spec', `The working directory ${cwd} is not there.`);
}
