/**
 * What a contract of the type `simple` should be after each command, written down a second time: no rule of the
 * domain is asked. Tests hold the real API against it.
 *
 * Law: pure; a command that is refused changes nothing.
 */

export type ModelStatus =
  | 'created'
  | 'active'
  | 'waiting_for_input'
  | 'paused'
  | 'blocked'
  | 'completing'
  | 'completed'
  | 'failed'
  | 'archived';

export interface Model {
  status: ModelStatus;
  phase: 'plan' | 'execute';
  readonly guarded: boolean;
  auto: boolean;
  readonly delivered: { plan: boolean; execute: boolean };
  /** Open questions whose asker waits. */
  questions: number;
  confirmation: 'phase' | 'completion' | null;
  /** A person sent back what stands now. */
  sentBack: boolean;
  /** The supervisor's agent is there, with a key that opens something. */
  alive: boolean;
}

export const modelCommands = [
  'start',
  'pause',
  'resume',
  'block',
  'fail',
  'archive',
  'ask',
  'answer',
  'approve',
  'sendBack',
  'deliver',
  'advance',
  'advanceConfirmed',
  'advanceByAgent',
  'confirmByAgent',
  'complete',
  'toComplete',
  'toCompleted',
  'toggleAuto',
  'rename',
  'look',
  'cleanUp',
] as const;
export type ModelCommand = (typeof modelCommands)[number];

export function freshModel(options: { guarded: boolean; auto: boolean }): Model {
  return {
    ...options,
    status: 'created',
    phase: 'plan',
    delivered: { plan: false, execute: false },
    questions: 0,
    confirmation: null,
    sentBack: false,
    alive: false,
  };
}

export function waitingFor(model: Model): string | null {
  if (model.status !== 'waiting_for_input') return null;
  return model.confirmation === null ? 'question' : `${model.confirmation}_confirmation`;
}

/** Is there anything to send? Who is not there cannot call, and what is not open cannot be answered. */
export function applies(model: Model, command: ModelCommand): boolean {
  const open = !isOver(model);
  if (command === 'answer') return open && model.questions > 0;
  if (command === 'approve' || command === 'sendBack') return open && model.confirmation !== null;
  return byAgent.includes(command) ? model.alive : true;
}

const byAgent: readonly ModelCommand[] = ['ask', 'advanceByAgent', 'confirmByAgent'];
const isOver = ({ status }: Model): boolean =>
  status === 'completed' || status === 'failed' || status === 'archived';
const works = ({ status }: Model): boolean =>
  status === 'created' || status === 'active' || status === 'waiting_for_input';
const moves = ({ status }: Model): boolean => status === 'active' || status === 'waiting_for_input';
const ready = (model: Model): boolean => model.delivered[model.phase];

/** Carries it out; false when it must be refused. */
export function step(model: Model, command: ModelCommand): boolean {
  const ok = rules[command](model);
  if (moves(model))
    model.status =
      model.questions > 0 || model.confirmation !== null ? 'waiting_for_input' : 'active';
  return ok;
}

/** Another version: what a person was shown is void. */
function changed(model: Model): void {
  model.confirmation = null;
  model.sentBack = false;
}

function go(model: Model, from: readonly ModelStatus[], to: ModelStatus): boolean {
  if (!from.includes(model.status)) return false;
  model.status = to;
  return true;
}

function end(model: Model, to: 'failed' | 'archived', from: readonly ModelStatus[]): boolean {
  if (!go(model, from, to)) return false;
  model.alive = false;
  model.confirmation = null;
  model.questions = 0;
  return true;
}

function advanced(model: Model): true {
  model.phase = 'execute';
  changed(model);
  return true;
}

/** Without a yes: a guard opens the request for one, and refuses. */
function leave(model: Model, yes: boolean): boolean {
  if (!works(model) || model.phase === 'execute' || !ready(model)) return false;
  if (!model.guarded || yes) return advanced(model);
  model.confirmation = 'phase';
  return false;
}

function finish(model: Model): true {
  model.status = 'completing';
  model.confirmation = null;
  return true;
}

function complete(model: Model): boolean {
  if (model.status === 'completing' || model.status === 'completed') return true;
  const due = works(model) && model.phase === 'execute' && ready(model) && model.questions === 0;
  if (!due) return false;
  if (model.auto) return model.status === 'created' ? false : finish(model);
  model.confirmation = 'completion';
  return false;
}

function look(model: Model): true {
  if (!moves(model) || !ready(model)) return true;
  if (model.phase === 'execute') {
    if (model.questions > 0) return true;
    if (model.auto) return finish(model);
    if (!model.sentBack) model.confirmation = 'completion';
    return true;
  }
  if (!model.auto) return true;
  if (!model.guarded) return advanced(model);
  if (!model.sentBack) model.confirmation = 'phase';
  return true;
}

function resume(model: Model): boolean {
  if (model.status === 'completing') {
    model.status = 'active';
    if (model.auto) changed(model);
    model.auto = false;
    return true;
  }
  if (model.status === 'paused') model.alive = true;
  return go(model, ['paused', 'blocked'], 'active');
}

function approve(model: Model): boolean {
  if (!works(model)) return false;
  if (model.confirmation === 'phase') return advanced(model);
  return model.status === 'created' ? false : finish(model);
}

const rules: Readonly<Record<ModelCommand, (model: Model) => boolean>> = {
  start: (model) => {
    if (!go(model, ['created'], 'active')) return false;
    model.alive = true;
    return true;
  },
  pause: (model) => {
    if (!go(model, ['active', 'waiting_for_input'], 'paused')) return false;
    model.alive = false;
    return true;
  },
  resume,
  block: (model) => go(model, ['active'], 'blocked'),
  fail: (model) =>
    end(model, 'failed', [
      'created',
      'active',
      'waiting_for_input',
      'paused',
      'blocked',
      'completing',
    ]),
  archive: (model) => end(model, 'archived', ['paused', 'blocked', 'completed', 'failed']),
  ask: (model) => {
    if (!moves(model)) return false;
    model.questions += 1;
    return true;
  },
  answer: (model) => {
    model.questions -= 1;
    return true;
  },
  approve,
  sendBack: (model) => {
    model.confirmation = null;
    model.sentBack = true;
    return true;
  },
  deliver: (model) => {
    if (!works(model)) return false;
    model.delivered[model.phase] = true;
    changed(model);
    return true;
  },
  advance: (model) => leave(model, false),
  advanceConfirmed: (model) => leave(model, true),
  // It may stand where it wants to be already; what was sent back it does not ask for again.
  advanceByAgent: (model) => {
    if (works(model) && model.phase === 'execute') return true;
    return model.sentBack && model.guarded ? false : leave(model, false);
  },
  confirmByAgent: (model) => works(model) && model.phase === 'execute',
  complete,
  toComplete: (model) =>
    moves(model) && model.phase === 'execute' && ready(model) ? finish(model) : false,
  toCompleted: (model) => model.status === 'completing',
  toggleAuto: (model) => {
    if (isOver(model)) return false;
    model.auto = !model.auto;
    changed(model);
    return true;
  },
  rename: (model) => {
    changed(model);
    return true;
  },
  look,
  cleanUp: (model) => {
    if (model.status !== 'completing') return true;
    model.status = 'completed';
    model.alive = false;
    return true;
  },
};
