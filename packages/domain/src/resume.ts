/**
 * A person brings a supervisor back: when that may be, and what each mode makes of the restoration's plan.
 *
 * Law: it is refused only while an agent really runs: a live lease on a daemon that is there. A person has
 * looked: what would otherwise wait for one goes on with its warnings.
 */
import type { ContractStatus } from './contract.ts';
import { type Lease, leaseVerdict } from './lease.ts';
import { planRestoration, type RestorationPlan, type RestorationStrategy } from './restoration.ts';
import { type RestorationFacts, sessionReachable } from './restoration-finding.ts';
import { isTaskFinal, type TaskSession, type TaskStatus } from './task.ts';

export const resumeModes = ['continue', 'restart_phase', 'from_checkpoint'] as const;

export type ResumeMode = (typeof resumeModes)[number];

export function isResumeMode(text: string): text is ResumeMode {
  return (resumeModes as readonly string[]).includes(text);
}

export interface ResumeFacts {
  readonly contractStatus: ContractStatus;
  readonly taskStatus: TaskStatus;
  readonly session: TaskSession;
  /** Of its live attempt; null when it has none. */
  readonly lease: Lease | null;
  /** The daemon of that attempt is connected. */
  readonly daemonConnected: boolean;
}

export type ResumeVerdict =
  /** An agent works, or is being started. */
  | { readonly kind: 'runs' }
  /** The rows say that it runs, but nobody is behind them: give that attempt up first. */
  | { readonly kind: 'lost' }
  /** Interrupted, paused, parked, limited or waiting for a place. */
  | { readonly kind: 'rests' }
  /** Nothing can be resumed any more. */
  | { readonly kind: 'over'; readonly reason: string };

export function judgeResume(facts: ResumeFacts, now: Date): ResumeVerdict {
  const { contractStatus, taskStatus } = facts;
  if (contractStatus === 'completing')
    return { kind: 'over', reason: 'The contract is about to complete.' };
  if (['completed', 'failed', 'archived'].includes(contractStatus))
    return { kind: 'over', reason: `The contract is ${contractStatus}.` };
  if (isTaskFinal(taskStatus))
    return { kind: 'over', reason: `Its supervisor has ended: ${taskStatus}.` };
  if (taskStatus !== 'starting' && taskStatus !== 'running') return { kind: 'rests' };
  const live = leaseVerdict(facts.lease, now).kind === 'live';
  return live && facts.daemonConnected ? { kind: 'runs' } : { kind: 'lost' };
}

/** The plan of a mode; `manual` only when there is nothing to work in. */
export function planResume(facts: RestorationFacts, mode: ResumeMode, now: Date): RestorationPlan {
  const plan = planRestoration(facts, now);
  if (!facts.repositoryExists) return plan;
  switch (mode) {
    case 'continue':
      return plan.strategy === 'manual' ? { ...plan, strategy: reachable(facts) } : plan;
    case 'restart_phase':
      return {
        ...plan,
        strategy: 'fresh',
        daemonPreference: null,
        warnings: [
          `Phase ${facts.phase} is begun anew with an empty conversation; the former one stays in the history.`,
          ...plan.warnings,
        ],
      };
    case 'from_checkpoint':
      return { ...plan, strategy: 'checkpoint', daemonPreference: null };
  }
}

function reachable(facts: RestorationFacts): RestorationStrategy {
  if (sessionReachable(facts)) return 'resume_session';
  return facts.checkpoint?.exists === true ? 'checkpoint' : 'fresh';
}
