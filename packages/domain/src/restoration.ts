/**
 * How a supervisor comes back after its agent, its daemon or the whole machine went away.
 *
 * Law: rows beat saved state wherever they differ. A spawned task that is missing means going back to the
 * checkpoint, more than three faults mean that a person looks first, an unreadable state means a fresh
 * start, anything else goes on with warnings (seed 002). Questions keep their ids, waits keep their rows.
 */
import {
  type Finding,
  type RestorationFacts,
  findingSentence,
  inspect,
  isFault,
  sessionReachable,
} from './restoration-finding.ts';
import { limits } from './limits.ts';

export type RestorationStrategy =
  /** Continue the agent's own session. */
  | 'resume_session'
  /** A new session from the last checkpoint's tree and the stored conversation. */
  | 'checkpoint'
  /** A new session with a brief: goal, phase, tasks, questions. */
  | 'fresh'
  /** Start nothing; the contract is blocked until a person decides. */
  | 'manual';

export interface DaemonPreference {
  readonly daemonId: string;
  /** Nowhere else can it continue as planned. */
  readonly only: boolean;
}

export interface RestorationPlan {
  readonly strategy: RestorationStrategy;
  readonly daemonPreference: DaemonPreference | null;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  /** Ids of questions shown to people again, with the same id. */
  readonly redeliver: readonly string[];
  /** Ids of questions to cancel: their asker is gone. */
  readonly cancelQuestions: readonly string[];
  /** Ids of wait rows that stay in force. */
  readonly keepWaits: readonly string[];
}

export const manualAboveFaults = 3;

/** The question that asks what becomes of a supervisor that is not restored by itself any more. */
export const breaker = {
  keyPrefix: 'breaker-',
  resume: 'Resume it once more',
  leave: 'Leave it blocked',
} as const;

export function planRestoration(facts: RestorationFacts, now: Date): RestorationPlan {
  const findings = inspect(facts, now);
  const { strategy, notes } = chooseStrategy(facts, findings);
  const orphaned = (id: string) =>
    findings.some((finding) => finding.kind === 'question_orphaned' && finding.questionId === id);
  const ids = facts.questions.map((question) => question.id);
  return {
    strategy,
    daemonPreference: preferDaemon(facts, strategy),
    findings,
    warnings: [...notes, ...findings.map(findingSentence)],
    redeliver: ids.filter((id) => !orphaned(id)),
    cancelQuestions: ids.filter(orphaned),
    keepWaits: facts.waitIds,
  };
}

export type Breaker =
  | { readonly ok: true }
  | { readonly ok: false; readonly blocked: string; readonly until: Date };

/** At most five restorations in fifteen minutes; then the contract is blocked and a person looks. */
export function restorationAllowed(history: readonly Date[], now: Date): Breaker {
  const since = now.getTime() - limits.restorationWindowMs;
  const recent = history.map((at) => at.getTime()).filter((at) => at > since);
  const max = limits.restorationsPerWindowMax;
  if (recent.length < max) return { ok: true };
  const minutes = limits.restorationWindowMs / 60_000;
  const frees = Math.min(...recent.toSorted((a, b) => b - a).slice(0, max));
  return {
    ok: false,
    blocked: `Restored ${recent.length} times in ${minutes} minutes; a person should look before the next try.`,
    until: new Date(frees + limits.restorationWindowMs),
  };
}

interface Choice {
  readonly strategy: RestorationStrategy;
  readonly notes: readonly string[];
}

function chooseStrategy(facts: RestorationFacts, findings: readonly Finding[]): Choice {
  if (findings.some((finding) => finding.kind === 'repository_gone')) {
    return { strategy: 'manual', notes: ['There is nothing to work in until a person sets it.'] };
  }
  if (facts.state === 'none') {
    return { strategy: 'fresh', notes: ['No saved state was found: starting fresh.'] };
  }
  if (facts.state === 'unreadable') {
    return { strategy: 'fresh', notes: ['The saved state cannot be read: starting fresh.'] };
  }
  if (findings.some((finding) => finding.kind === 'spawned_task_missing')) {
    return fromCheckpoint(facts, 'The saved state names tasks that are missing');
  }
  const faults = findings.filter(isFault).length;
  if (faults > manualAboveFaults) {
    return { strategy: 'manual', notes: [`${faults} faults were found: a person decides.`] };
  }
  if (sessionReachable(facts)) return { strategy: 'resume_session', notes: [] };
  return fromCheckpoint(facts, 'The agent session cannot be continued');
}

function fromCheckpoint(facts: RestorationFacts, why: string): Choice {
  return facts.checkpoint?.exists === true
    ? { strategy: 'checkpoint', notes: [`${why}: going back to the last checkpoint.`] }
    : { strategy: 'fresh', notes: [`${why} and there is no checkpoint: starting fresh.`] };
}

function preferDaemon(
  facts: RestorationFacts,
  strategy: RestorationStrategy,
): DaemonPreference | null {
  const { lastDaemon, session } = facts;
  if (strategy === 'manual' || lastDaemon === null || !lastDaemon.connected) return null;
  const only = strategy === 'resume_session' && session?.transcript === 'daemon_only';
  return { daemonId: lastDaemon.daemonId, only };
}
