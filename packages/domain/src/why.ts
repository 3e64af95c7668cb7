/**
 * "Why is it not moving?" for a contract: the exact unmet conditions, most decisive first.
 *
 * Law: never an empty answer. Either something moves, or at least one blocker says what must happen and who
 * can do it. Whether it moves and what blocks it are told apart: a contract may work beside an open question.
 */
import type { ContractStatus, WaitingFor } from './contract.ts';
import type { Missing, Readiness } from './gate.ts';
import {
  type Blocker,
  type OpenQuestion,
  type Why,
  blocker,
  blockerKinds,
  questionBlocker,
  startDaemonAct,
} from './why-blocker.ts';
import { type WhyTaskFacts, activateAct, whyTask } from './why-task.ts';

export interface WhyContractFacts {
  readonly id: string;
  readonly slug: string;
  readonly status: ContractStatus;
  readonly statusSince: Date;
  readonly blockedReason: string | null;
  readonly failureReason: string | null;
  readonly phase: string;
  readonly phaseSince: Date;
  /** Null in the terminal phase. */
  readonly nextPhase: string | null;
  readonly readiness: Readiness;
  readonly autoAdvance: boolean;
  readonly confirmation: {
    readonly kind: Exclude<WaitingFor, 'question'>;
    readonly questionId: string | null;
    readonly since: Date;
  } | null;
  /** Open general questions. */
  readonly openQuestions: readonly OpenQuestion[];
  readonly supervisor: WhyTaskFacts | null;
  /** Tasks that are not final, the supervisor's own left out. */
  readonly tasks: readonly WhyTaskFacts[];
  /** When the grace period ends; only while completing. */
  readonly graceEndsAt: Date | null;
  /** What machines still owe to the end of the contract; only while completing. */
  readonly cleanup: readonly WhyCleanup[];
}

/** Work that one machine still owes to the end of a contract. */
export interface WhyCleanup {
  readonly daemonId: string;
  readonly daemonName: string;
  readonly connected: boolean;
  /** Kinds of the open operations, and the tasks whose agents have yet to stop. */
  readonly operations: readonly string[];
  readonly agents: readonly string[];
  readonly since: Date;
}

export function whyContract(facts: WhyContractFacts, now: Date): Why {
  const { moving, blockers } = judge(facts, now);
  const summary = blockers[0]?.reason ?? `Contract ${facts.slug} is at work in ${facts.phase}.`;
  return { id: facts.id, kind: 'contract', status: facts.status, moving, summary, blockers };
}

interface Judgement {
  readonly moving: boolean;
  readonly blockers: readonly Blocker[];
}

function judge(facts: WhyContractFacts, now: Date): Judgement {
  switch (facts.status) {
    case 'created':
      return { moving: false, blockers: [notStarted(facts)] };
    case 'paused':
      return paused(facts);
    case 'blocked': {
      const reason = facts.blockedReason ?? 'The contract is blocked.';
      return { moving: false, blockers: [rests(facts, 'blocked', reason)] };
    }
    case 'completing':
      return completing(facts, now);
    case 'completed':
    case 'failed':
    case 'archived':
      return { moving: false, blockers: [ended(facts)] };
    case 'active':
    case 'waiting_for_input':
      return atWork(facts, now);
  }
}

/** Agents that still run end their turns. */
function paused(facts: WhyContractFacts): Judgement {
  const agents = [...(facts.supervisor === null ? [] : [facts.supervisor]), ...facts.tasks];
  const ending = agents.filter(({ status }) => status === 'running').length;
  const words = ending === 1 ? 'one agent ends its turn' : `${ending} agents end their turns`;
  const reason = `A person paused the contract${ending === 0 ? '' : `; ${words}`}.`;
  return { moving: ending > 0, blockers: [rests(facts, 'pause', reason)] };
}

function notStarted(facts: WhyContractFacts): Blocker {
  return blocker({
    kind: 'not_started',
    reason: 'The contract has not been started: it has no supervisor task.',
    since: facts.statusSince,
    whoCanAct: 'person',
    act: `makima contracts start ${facts.slug}`,
  });
}

function rests(facts: WhyContractFacts, kind: 'pause' | 'blocked', reason: string): Blocker {
  return blocker({
    kind,
    reason,
    since: facts.statusSince,
    whoCanAct: 'person',
    act: activateAct(facts.slug),
  });
}

function completing(facts: WhyContractFacts, now: Date): Judgement {
  if (facts.confirmation !== null) return { moving: false, blockers: confirmations(facts) };
  if (facts.graceEndsAt !== null && facts.graceEndsAt <= now) return cleaning(facts);
  const until = facts.graceEndsAt === null ? '' : ` until ${facts.graceEndsAt.toISOString()}`;
  const { slug } = facts;
  const reason = `Completion was detected; it can be rejected${until} (makima contracts resume ${slug}), or completed now (makima contracts advance ${slug} --confirm).`;
  const since = facts.statusSince;
  return {
    moving: true,
    blockers: [blocker({ kind: 'gate', reason, since, whoCanAct: 'system' })],
  };
}

/** After the grace: which machine owes what. One that is away is waited for until it is back or revoked. */
function cleaning(facts: WhyContractFacts): Judgement {
  const away = facts.cleanup.filter((one) => !one.connected);
  if (away.length > 0) return { moving: false, blockers: away.map(machineAway) };
  const at = facts.cleanup.map((one) => `${oweOf(one)} on ${one.daemonName}`).join('; ');
  const reason =
    at === '' ? 'The contract is being cleaned up.' : `The contract is being cleaned up: ${at}.`;
  const since = facts.statusSince;
  return {
    moving: true,
    blockers: [blocker({ kind: 'gate', reason, since, whoCanAct: 'system' })],
  };
}

export function machineAway(one: WhyCleanup): Blocker {
  return blocker({
    kind: 'machine_offline',
    reason: `Machine ${one.daemonName} is offline and still owes the clean-up: ${oweOf(one)}. Bring it back (${startDaemonAct}), or revoke it and its part is left out.`,
    since: one.since,
    whoCanAct: 'person',
    act: `makima daemon revoke ${one.daemonId}`,
  });
}

/** More agents than these are counted. */
const namedMost = 3;

function oweOf({ operations, agents }: WhyCleanup): string {
  const more = agents.length > namedMost ? `, and ${agents.length - namedMost} more` : '';
  const named = `${agents.slice(0, namedMost).join(', ')}${more}`;
  const stops =
    agents.length === 0 ? [] : [`${counted(agents.length, 'agent')} to stop (${named})`];
  const kinds = [...new Set(operations)].map((kind) => {
    const count = operations.filter((one) => one === kind).length;
    return owedWords[kind]?.(count) ?? kind;
  });
  return [...stops, ...kinds].join(', ');
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** What is to be done, by the kind of the operation. */
const owedWords: Readonly<Record<string, (count: number) => string>> = {
  'branch.deliver': () => 'the branch to deliver',
  'workdir.clean': (count) =>
    `${counted(count, 'working directory', 'working directories')} to clean up`,
  'branch.merge': (count) => `${counted(count, 'merge')} to finish`,
  'task.pack': (count) => `${counted(count, 'merge')} to send`,
  'branch.hand_over': (count) => `${counted(count, 'branch', 'branches')} to hand over`,
  'pr.open': (count) => `${counted(count, 'pull request')} to open`,
};

function ended(facts: WhyContractFacts): Blocker {
  const because = facts.status === 'failed' ? `: ${facts.failureReason ?? 'no reason given'}` : '';
  return blocker({
    kind: 'done',
    reason: `The contract is ${facts.status}${because}.`.replace(/\.\.$/, '.'),
    since: facts.statusSince,
    whoCanAct: 'nobody',
  });
}

function atWork(facts: WhyContractFacts, now: Date): Judgement {
  const people = [...confirmations(facts), ...facts.openQuestions.map(questionBlocker)];
  const supervisor = facts.supervisor === null ? null : whyTask(facts.supervisor, now);
  const tasks = facts.tasks.map((task) => whyTask(task, now));
  const agents = [...(supervisor === null ? [] : [supervisor]), ...tasks];
  // Who leads is who asked: while the contract waits for a person, only its tasks can be at work.
  const atWorkNow = facts.status === 'waiting_for_input' ? tasks : agents;
  const moving = atWorkNow.some((why) => why.moving);
  const asked = new Set(people.map((item) => item.questionId));
  const theirs = agents
    .flatMap((why) => why.blockers)
    .filter((item) => item.questionId === null || !asked.has(item.questionId));
  const blockers = [...people, ...theirs].toSorted(byWeight);
  if (moving) return { moving, blockers };
  if (blockers.some((item) => item.kind !== 'done' && item.kind !== 'idle'))
    return { moving, blockers: [...blockers, ...failedValidators(facts)] };
  return { moving, blockers: [...gateBlockers(facts), ...blockers] };
}

/** In the order of the kinds; within one, the oldest first. Stable for the rest. */
function byWeight(a: Blocker, b: Blocker): number {
  return (
    weight(a) - weight(b) ||
    (a.since?.getTime() ?? Number.MAX_SAFE_INTEGER) -
      (b.since?.getTime() ?? Number.MAX_SAFE_INTEGER)
  );
}

/** An agent that ended explains less than anything that still waits. */
function weight(item: Blocker): number {
  return item.kind === 'done' ? blockerKinds.length : blockerKinds.indexOf(item.kind);
}

function confirmations(facts: WhyContractFacts): readonly Blocker[] {
  if (facts.confirmation === null) return [];
  const { kind, questionId, since } = facts.confirmation;
  const advance =
    kind === 'phase_confirmation' && facts.nextPhase !== null
      ? `makima contracts advance ${facts.slug} --phase ${facts.nextPhase} --confirm`
      : null;
  const answer = questionId === null ? null : `makima answer ${questionId} yes`;
  const finish = finishAct(facts);
  const reason =
    kind === 'phase_confirmation'
      ? `Leaving phase ${facts.phase} is guarded: a person must confirm.`
      : 'A person must confirm the completion.';
  const act = advance ?? answer ?? finish;
  return [blocker({ kind: 'guard', reason, since, whoCanAct: 'person', act, questionId })];
}

const finishAct = ({ slug }: WhyContractFacts): string =>
  `makima contracts advance ${slug} --confirm`;

/** Nobody works and nobody waits: what the phase still owes, or the step that nobody takes by itself. */
function gateBlockers(facts: WhyContractFacts): readonly Blocker[] {
  const since = facts.phaseSince;
  if (!facts.readiness.ready) {
    const rest = facts.readiness.missing.filter((missing) => !hasFailed(missing));
    return [
      ...failedValidators(facts),
      ...rest.map((missing) =>
        blocker({ kind: 'gate', reason: missing.sentence, since, whoCanAct: 'supervisor' }),
      ),
    ];
  }
  if (facts.autoAdvance) {
    const reason = `The gate of phase ${facts.phase} is met; the next step is about to be taken.`;
    return [blocker({ kind: 'gate', reason, since, whoCanAct: 'system' })];
  }
  const act = facts.nextPhase === null ? finishAct(facts) : advanceAct(facts.slug, facts.nextPhase);
  const reason = readyWords(facts.phase);
  return [blocker({ kind: 'gate', reason, since, whoCanAct: 'person', act })];
}

const hasFailed = (missing: Missing): boolean =>
  missing.kind === 'validator' && missing.state === 'failed';

/** One that can never pass holds for ever: the way out is a person's. */
function failedValidators(facts: WhyContractFacts): readonly Blocker[] {
  return facts.readiness.missing.filter(hasFailed).map((missing) =>
    blocker({
      kind: 'gate',
      reason: `${missing.sentence}${/[.!?]$/.test(missing.sentence) ? '' : '.'} It is run again when the branch or the contract changes, and when its supervisor asks to advance once more; a person may leave it out.`,
      since: facts.phaseSince,
      whoCanAct: 'person',
      act: `makima contracts skip-validator ${facts.slug}`,
    }),
  );
}

export const advanceAct = (slug: string, to: string): string =>
  `makima contracts advance ${slug} --phase ${to}`;

export const readyWords = (phase: string): string =>
  `The gate of phase ${phase} is met, but nothing advances by itself here.`;
