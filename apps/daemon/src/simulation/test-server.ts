/**
 * The server's side of the simulation: a store that commits or does not, and gateways that forget everything
 * when they die.
 *
 * Law: what the product decides by rule is decided here by the same rule: which reports of a frame are fresh,
 * which attempt may speak for its task, what goes again and what an ack is worth.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { Report } from '@makima/contracts/socket/reports';
import { must } from '@makima/domain/model/test-model';
import { afterAck, afterSend, cursorAt, judgeFrame, rewound } from '@makima/domain/sequence';
import { checkAttemptTransition, isAttemptLive, speaksForTask } from '@makima/domain/task';
import { pick, type Link, type Task, type Up, type World } from './test-world.ts';

const attemptsMax = 4;

export function spawn(world: World): void {
  const taskId = `task-${world.store.tasks.size + 1}`;
  const task: Task = { currentAttempt: 0, attempts: [], result: null };
  world.store.tasks.set(taskId, task);
  assign(world, taskId, task);
}

function assign(world: World, taskId: string, task: Task): void {
  if (task.attempts.length === attemptsMax) return;
  const place = placeFor(world, task);
  task.attempts.push({ state: 'assigned', on: place.id, output: [] });
  task.currentAttempt = task.attempts.length;
  tell(place, { kind: 'task.start', taskId, attempt: task.currentAttempt } as Command);
}

/** Another daemon than the last one, if one is there. */
function placeFor({ fleet }: World, task: Task): World {
  const last = task.attempts.at(-1)?.on ?? -1;
  const there = fleet.filter(({ store }) => store.connected);
  const from = there.length > 0 ? there : fleet;
  const place = from.find(({ id }) => id > last) ?? from[0];
  must(place !== undefined, 'a fleet has a daemon');
  return place;
}

function tell({ store }: World, command: Command): void {
  store.commandSeq += 1;
  store.commands.set(store.commandSeq, { command, acked: false });
}

export function message(world: World, n: number): void {
  const found = pick([...world.store.tasks], n);
  if (found === undefined) return;
  const [taskId, task] = found;
  const place = world.fleet[newest(task).on] ?? world;
  tell(place, { kind: 'task.message', taskId, attempt: 1 } as Command);
}

/** A command that no longer reads is set aside: acked without having been sent. */
export function withdraw({ store, seen }: World, n: number): void {
  const open = [...store.commands].filter(
    ([, { acked, command }]) => !acked && command.kind === 'task.message',
  );
  const found = pick(open, n);
  if (found === undefined) return;
  found[1].acked = true;
  seen.withdrawn.add(found[0]);
  seen.mark = 'command withdrawn';
}

/** Its lease ran out: given up, and tried again. */
export function lose(world: World, n: number): void {
  const live = [...world.store.tasks].filter(([, task]) => isAttemptLive(newest(task).state));
  const found = pick(live, n);
  if (found !== undefined) giveUp(world, ...found);
}

const newest = (task: Task): Task['attempts'][number] => {
  const attempt = task.attempts.at(-1);
  must(attempt !== undefined, 'a task has an attempt');
  return attempt;
};

function giveUp(world: World, taskId: string, task: Task): void {
  newest(task).state = 'lost';
  assign(world, taskId, task);
}

/** Everything that waits goes out on this connection, in frames. */
export function deliver(world: World, link: Link, framesOf: number): void {
  const { talk } = link;
  if (talk === null || link.cut) return;
  const waiting = [...world.store.commands].filter(
    ([seq, { acked }]) => seq > talk.cursor.sentSeq && !acked,
  );
  for (let at = 0; at < waiting.length; at += framesOf) {
    const commands = waiting
      .slice(at, at + framesOf)
      .map(([seq, { command }]) => ({ seq, command }));
    link.down.push({ type: 'commands', after: talk.cursor.sentSeq, commands });
    talk.cursor = afterSend(talk.cursor, commands.at(-1)?.seq ?? 0);
  }
}

export function resendCommands(link: Link): void {
  if (link.talk !== null) link.talk.cursor = rewound(link.talk.cursor);
}

/** `dies`: before the commit, after it and before the answer, or not at all. */
export function onUp(world: World, link: Link, frame: Up, dies: 'before' | 'after' | 'no'): void {
  if (dies === 'before') return;
  const say = (down: Link['down'][number]): void => {
    if (dies === 'no') link.down.push(down);
  };
  if (frame.type === 'hello') {
    if (link.talk !== null) return;
    const fenced = connect(world, frame);
    link.talk = {
      sessionEpoch: world.store.sessionEpoch,
      cursor: cursorAt(frame.lastCommandSeq),
    };
    say({ type: 'welcome', reportAck: world.store.appliedSeq, fenced });
    return;
  }
  if (link.talk === null) {
    link.cut = true;
    return;
  }
  if (frame.type === 'ack') {
    link.talk.cursor = afterAck(link.talk.cursor, frame.commandSeq);
    ackUpTo(world, link.talk.cursor.ackedSeq);
    return;
  }
  if (applyFrame(world, link.talk.sessionEpoch, frame))
    say({ type: 'ack', reportSeq: world.store.appliedSeq });
  else link.cut = true;
}

/** A gateway looks whether its session is still the present one. */
export function tend({ store }: World, link: Link): void {
  if (link.talk !== null && link.talk.sessionEpoch !== store.sessionEpoch)
    Object.assign(link, { cut: true, talk: null });
}

/** A gateway gives up a connection: it says so of the session that it held, and of no newer one. */
export function gone({ store, seen }: World, link: Link): void {
  if (link.talk === null) return;
  if (link.talk.sessionEpoch === store.sessionEpoch) store.connected = false;
  else seen.mark = 'gone, but there again';
  Object.assign(link, { cut: true, talk: null });
}

function connect(world: World, hello: Extract<Up, { type: 'hello' }>) {
  const { store } = world;
  ackUpTo(world, hello.lastCommandSeq);
  store.sessionEpoch += 1;
  store.connected = true;
  const isHeld = (taskId: string, attempt: number): boolean =>
    hello.running.some((one) => one.taskId === taskId && one.attempt === attempt);
  const isOnItsWay = (taskId: string, attempt: number): boolean =>
    [...store.commands.values()].some(
      ({ command, acked }) =>
        !acked &&
        command.kind === 'task.start' &&
        command.taskId === taskId &&
        command.attempt === attempt,
    );
  for (const [taskId, task] of store.tasks) {
    const { currentAttempt } = task;
    const { state, on } = newest(task);
    if (on !== world.id || !isAttemptLive(state)) continue;
    if (!isHeld(taskId, currentAttempt) && !isOnItsWay(taskId, currentAttempt))
      giveUp(world, taskId, task);
  }
  return hello.running.filter(({ taskId, attempt }) => {
    const task = store.tasks.get(taskId);
    const state = task?.attempts[attempt - 1]?.state ?? 'lost';
    return task === undefined || !speaksForTask(task, { attempt, state });
  });
}

function ackUpTo({ store }: World, upTo: number): void {
  for (const [seq, row] of store.commands) if (seq <= upTo) row.acked = true;
}

function applyFrame(
  world: World,
  sessionEpoch: number,
  { fromSeq, reports }: Extract<Up, { type: 'reports' }>,
): boolean {
  const { store, seen } = world;
  const verdict = judgeFrame(store, { sessionEpoch, fromSeq, count: reports.length });
  seen.mark = `frame: ${verdict.kind}`;
  if (verdict.kind === 'known') return true;
  if (verdict.kind !== 'fresh') return false;
  for (const report of reports.slice(verdict.skip)) applyReport(world, report);
  store.appliedSeq = verdict.endSeq;
  return true;
}

function applyReport(world: World, report: Report): void {
  if (!('attempt' in report)) return;
  const { taskId, attempt: number } = report;
  const task = world.store.tasks.get(taskId);
  const attempt = task?.attempts[number - 1];
  must(attempt?.on === world.id, 'nobody reports of what was never ordered of it');
  must(task !== undefined, 'of a task that there is');
  const speaks = speaksForTask(task, { attempt: number, state: attempt.state });
  if (report.kind === 'task.outputted') {
    must(report.fromSeq === attempt.output.length + 1, 'a line is stored once, and none left out');
    attempt.output.push(...report.lines.map(({ content }) => content));
  }
  if (report.kind === 'task.started' && speaks) move(attempt, 'running');
  if (report.kind !== 'task.ended') return;
  if (!speaks) {
    world.seen.mark = 'late end';
    return;
  }
  if (report.outcome === 'done') {
    must(task.result === null, 'a result is never overwritten');
    move(attempt, 'done');
    task.result = { attempt: number, words: report.summary ?? '' };
  } else giveUp(world, taskId, task);
}

function move(attempt: Task['attempts'][number], to: 'running' | 'done'): void {
  const { ok } = checkAttemptTransition(attempt.state, to);
  must(ok, `an attempt that is ${attempt.state} cannot become ${to}`);
  attempt.state = to;
}
