/**
 * The sentence of each kind of event, from the facts that its verb wrote into it.
 *
 * Law: every fact may be missing (an older server, a newer one); a sentence is then shorter, never wrong.
 */
import type { Event, EventType } from '@makima/contracts/entity/event';
import { oneLine } from './plain.ts';
import type { StoryContext } from './story-context.ts';

/** The facts of one event, read without trust. */
interface Facts {
  readonly event: Event;
  /** A text or number of the event's data; empty when it is not there. */
  of(...names: readonly string[]): string;
  list(name: string): readonly string[];
  /** `yes` or `no` when it is true or false. */
  flag(name: string): 'yes' | 'no' | '';
  /** The words of the question that the event is about. */
  readonly question: string;
  /** The task's name, else the beginning of its id. */
  readonly task: string;
  readonly daemon: string;
  /** `text` before and after a fact, or nothing when the fact is missing. */
  with(before: string, fact: string, after?: string): string;
}

/** One line, without control characters. */
export function tell(event: Event, context: StoryContext): string {
  const facts = factsOf(event, context);
  const sentence = oneLine(sentences[event.type](facts));
  return sentence === '' ? oneLine(event.actor.name) : sentence;
}

const attempt = (f: Facts): string => f.with(', attempt ', f.of('attempt'));
const why = (f: Facts): string => f.with(': ', f.of('detail', 'error', 'reason', 'message', 'why'));
/** How an agent goes on with what it knew before. */
const resumed: Readonly<Record<string, string>> = {
  session: ', same conversation',
  transcript: ', conversation restored',
};
/** `2030-01-01T12:00:00.000Z` as `2030-01-01 12:00:00Z`; anything else as it is. */
const moment = (time: string): string =>
  time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d+Z$/, '$1 $2Z');
const waitsFor: Readonly<Record<string, string>> = {
  waiting_for_user: ' for an answer',
  waiting_for_tasks: ' for its tasks',
};
const wokenBy: Readonly<Record<string, string>> = {
  satisfied: 'what it waited for has come',
  timed_out: 'it waited long enough',
  answered: 'it was answered',
  message: 'it was sent a message',
  withdrawn: 'nothing is left to wait for',
  asked: 'it was asked to',
};
const by = (f: Facts): string =>
  f.event.actor.kind === 'system' ? '' : f.with(' by ', f.event.actor.name);
const named = (f: Facts): string => f.of('name') || f.task;

const sentences: Readonly<Record<EventType, (f: Facts) => string>> = {
  'contract.created': (f) =>
    `${f.of('slug', 'name')}${f.with(', ', f.of('type'))}${f.with(', begins with ', f.of('phase'))}`,
  'contract.updated': (f) => `settings of the contract${by(f)}`,
  'contract.started': (f) => `its supervisor is on the way${by(f)}`,
  'contract.status_changed': (f) => `${standing(f)}${why(f)}`,
  'contract.phase_changed': (f) =>
    `${f.with('', f.of('from', 'previousPhase'), ' to ')}${f.of('to', 'phase')}${by(f)}`,
  'contract.guard_refused': (f) =>
    `leaving ${f.of('from', 'phase') || 'the phase'} needs your word${f.with(' (to ', f.of('to', 'toPhase'), ')')}`,
  'contract.ready': (f) =>
    `everything that ${f.of('phase') || 'the phase'} has to deliver is there`,
  'contract.stale_detected': (f) => `nothing has moved${f.with(' since ', f.of('lastProgressAt'))}`,
  'contract.stale_cleared': () => 'it moves again, or rests on purpose',
  'contract.completed': () => 'the contract is complete',
  'contract.failed': (f) => `the contract failed${why(f)}`,
  'contract.deleted': (f) => `${f.of('slug', 'name') || 'the contract'} is deleted${by(f)}`,
  'repository.added': (f) => f.of('name', 'repositoryUrl', 'localPath'),
  'repository.removed': (f) => f.of('name', 'repositoryUrl', 'localPath'),
  'repository.trusted': (f) =>
    `what ${f.of('name') || 'the repository'} executes takes part${by(f)}`,
  'repository.distrusted': (f) =>
    `what ${f.of('name') || 'the repository'} executes is off again${by(f)}`,
  'budget.warned': (f) => `most of the budget${ofScope(f)} is used${f.with(': ', f.of('words'))}`,
  'budget.reached': (f) =>
    `the budget${ofScope(f)} is used up, its agents are stopped${f.with(': ', f.of('words'))}`,
  'budget.raised': (f) => `the budget${ofScope(f)} is enough again${f.with(': ', f.of('words'))}`,
  'deliverable.completed': (f) =>
    `${f.of('name', 'deliverableId', 'deliverable', 'id')}${f.with(' of ', f.of('phase'))}`,
  'deliverable.staled': (f) =>
    `${f.of('deliverableId')}${f.with(' of ', f.of('phase'))}${f.with(' does not hold any more: ', f.of('reason'))}`,
  'directive.created': (f) => `${f.of('title') || 'a standing goal'}${by(f)}`,
  'directive.updated': (f) =>
    `${f.of('title') || 'a standing goal'}${f.with(': ', f.list('changed').join(', '))}${by(f)}`,
  'order.placed': (f) =>
    `${f.of('title') || 'future work'}${f.with(', a ', f.of('orderType'))}${by(f)}`,
  'order.accepted': (f) => `${f.of('title') || 'an order'} becomes a contract${by(f)}`,
  'order.dismissed': (f) => `${f.of('title') || 'an order'}${by(f)}${why(f)}`,
  'task.spawned': (f) => `${f.task}${f.with(' for ', f.of('agent'))}`,
  'task.assigned': (f) => `${f.task}${f.with(' to ', f.daemon)}${attempt(f)}`,
  'task.unassigned': (f) => `${f.task}${why(f)}`,
  'task.started': (f) =>
    `${f.task}${attempt(f)}${f.with(', pid ', f.of('pid'))}${resumed[f.of('resumedFrom')] ?? ''}`,
  'task.completed': (f) => `${f.task}${f.with(': ', f.of('summary', 'outputSummary'))}`,
  'task.failed': (f) => `${f.task}${why(f)}`,
  'task.interrupted': (f) => `${f.task}${attempt(f)}${why(f)}`,
  'task.cancelled': (f) => `${f.task}${why(f)}`,
  'task.retried': (f) => `${f.task}${attempt(f)}`,
  'task.limited': (f) =>
    `${f.task} is at the usage limit${f.with(' of ', f.of('agent'))}${f.with(' until ', moment(f.of('until')))}${f.flag('asks') === 'yes' ? '; you decide whether it goes on' : '; it goes on by itself then'}`,
  'task.action_failed': (f) => `${f.of('action') || 'what was to follow'} of ${named(f)}${why(f)}`,
  'task.merged': (f) =>
    `${f.task}${f.with(' into ', f.of('targetBranch', 'branch', 'into'))}${f.with(' at ', f.of('commitSha', 'sha').slice(0, 10))}`,
  'task.late': (f) =>
    `${f.task}: a report of attempt ${f.of('attempt') || 'an older one'} came late`,
  'task.kept': (f) => `work of ${f.task}${f.with(' on ', f.of('ref'))}`,
  'attempt.lost': (f) => `${f.task}${attempt(f)}${why(f)}`,
  'supervisor.state_changed': (f) => `${doing(f)}${f.with(' (', progress(f), '%)')}`,
  'supervisor.resumed': (f) =>
    `the supervisor is to go on${by(f)}${f.with(' (', f.of('mode').replaceAll('_', ' '), ')')}`,
  'supervisor.restored': (f) =>
    `the supervisor is back where it was${f.with(', epoch ', f.of('epoch', 'attempt'))}${f.with(', pid ', f.of('pid'))}${f.with(', restoration ', f.of('restorationCount'))}`,
  'supervisor.parked': (f) =>
    `the supervisor waits${waitsFor[f.of('state')] ?? ''} without a process, at no cost`,
  'supervisor.woken': (f) =>
    `the supervisor goes on${f.with(': ', wokenBy[f.of('reason')] ?? f.of('reason'))}`,
  'supervisor.blocked': (f) => `the supervisor cannot go on${why(f)}`,
  'supervisor.saved': (f) =>
    `the supervisor's state${f.with(' at message ', f.of('position', 'messageCount'))}`,
  'wait.started': (f) => `${f.task} waits for ${waitedFor(f)}`,
  'wait.satisfied': (f) => `${f.task} has what it waited for`,
  'wait.timed_out': (f) => `${f.task} waited long enough`,
  'question.asked': (f) => question(f),
  'question.answered': (f) =>
    `${f.of('response', 'answer') || f.question}${f.with(' by ', f.of('by', 'answeredBy') || f.event.actor.name)}`,
  'question.held': (f) => `${f.question} waits for a person${f.with(': ', f.of('by'))}`,
  'question.cancelled': (f) => `${f.question}${why(f)}`,
  'question.redelivered': (f) => `asked again after a restart: ${question(f)}`,
  'message.sent': (f) => `to ${f.task}${f.with(': ', f.of('text', 'message', 'source', 'mode'))}`,
  'message.delivered': (f) => `${f.of('source') || 'a message'} reached ${f.task}`,
  'message.refused': (f) => `${f.of('source') || 'a message'} was not read by ${f.task}`,
  'checkpoint.created': (f) =>
    `${f.task}${f.with(' #', f.of('checkpointNumber', 'number'))}${f.with(': ', f.of('message'))}`,
  'operation.requested': (f) => `${f.of('kind') || 'operation'}${f.with(' of ', f.task)}`,
  'pr.opened': (f) =>
    `pull request${f.with(' #', f.of('prNumber'))}${f.with(' for ', f.of('branch'))}${f.with(': ', f.of('prUrl'))}`,
  'operation.finished': (f) =>
    (f.of('kind') === 'branch.deliver' && f.of('summary')) ||
    `${f.of('kind') || 'operation'}${f.with(' of ', f.task)} ${f.flag('ok') === 'no' ? 'failed' : 'is done'}${why(f)}`,
  'daemon.enrolled': (f) => `${f.daemon} may connect`,
  'daemon.connected': (f) => `${f.daemon} is here${f.with(' on ', f.of('host'))}`,
  'daemon.disconnected': (f) => `${f.daemon} is gone${why(f)}`,
  'daemon.lost': (f) => `${f.daemon} is lost${why(f)}`,
  'key.created': (f) => `${named(f)} may ${f.list('scopes').join(', ') || 'connect'}`,
  'webhook.created': (f) => `${named(f)}${f.with(' at ', f.of('host'))} is told of events${by(f)}`,
  'webhook.changed': (f) =>
    `${named(f)}${f.with(' is ', f.of('status'))}${f.with(', new: ', f.list('changed').join(', '))}`,
  'webhook.deleted': (f) => `${named(f)} is told nothing any more${by(f)}`,
  'webhook.quarantined': (f) => `webhook ${named(f)} is set aside${why(f)}`,
  'incident.opened': (f) => `something does not add up${why(f)}`,
  'incident.closed': (f) => `it adds up again${f.with(', what was wrong: ', f.of('reason'))}`,
  'key.revoked': (f) => `${named(f)} is worthless now`,
};

/** A status in the words of whoever waits for the contract. */
const standings: Readonly<Record<string, string>> = {
  active: 'the contract is under way',
  waiting_for_input: 'the contract waits for you',
  blocked: 'the contract cannot go on',
  paused: 'the contract is paused',
  completing: 'the contract is being completed; a no, or at once: makima why',
  completed: 'the contract is complete',
  failed: 'the contract has failed',
  archived: 'the contract is put away',
};

function standing(f: Facts): string {
  const to = f.of('to', 'newStatus', 'status');
  return standings[to] ?? `${f.with('', f.of('from', 'previousStatus'), ' to ')}${to}`;
}

/** What a supervisor does, else in which state it is; an activity may begin with the state. */
function doing(f: Facts): string {
  const state = f.of('to', 'state').replaceAll('_', ' ');
  const activity = f.of('activity').replace(/^idle: /i, '');
  return activity === '' ? state : `${state}: ${activity}`;
}

/** Percent; nothing is not worth a word. */
function progress(f: Facts): string {
  const percent = f.of('progress');
  return percent === '0' ? '' : percent;
}

function question(f: Facts): string {
  const choices = f.list('choices').map((choice, at) => `${at + 1} ${choice}`);
  const alone = f.with('; by itself: ', f.of('defaultAnswer'));
  return `${f.question}${f.with('  [', choices.join(' | '), ']')}${alone}`;
}

function waitedFor(f: Facts): string {
  const count = f.list('targets').length;
  const kind = f.of('kind').replace(/s$/, '') || 'task';
  return count > 1 ? `${count} ${kind}s` : `a ${kind}`;
}

function factsOf(event: Event, context: StoryContext): Facts {
  const read = (...names: readonly string[]): string => {
    for (const name of names) {
      const value = event.data[name];
      if (typeof value === 'number') return String(value);
      if (typeof value === 'string' && value.trim() !== '') return oneLine(value);
    }
    return '';
  };
  const daemonId = read('daemonId');
  return {
    event,
    of: read,
    flag: (name) => {
      const value = event.data[name];
      return typeof value === 'boolean' ? (value ? 'yes' : 'no') : '';
    },
    question: read('question') || (context.questions.get(read('questionId')) ?? 'a question'),
    list: (name) => {
      const value = event.data[name];
      return Array.isArray(value) ? value.map((item) => oneLine(String(item))) : [];
    },
    task:
      event.taskId === null
        ? ''
        : (context.taskNames.get(event.taskId) ?? `task ${event.taskId.slice(0, 8)}`),
    daemon:
      (event.type.startsWith('daemon.') ? read('name') : '') ||
      (context.daemonNames.get(daemonId) ?? daemonId.slice(0, 8)),
    with: (before, fact, after = '') => (fact === '' ? '' : `${before}${fact}${after}`),
  };
}

/** Of a task; that of the contract needs no more words. */
function ofScope(f: Facts): string {
  return f.of('scope') === 'task' ? ` of ${f.task}` : '';
}
