/**
 * What must hold at every moment of the simulation, and at its end, when the faults have stopped.
 *
 * Law: everything came once and in order, whatever happened before.
 */
import { must } from '@makima/domain/model/test-model';
import { scanLines } from '../journal/line.ts';
import { parseEntry } from '../journal/state.ts';
import * as daemon from './test-daemon.ts';
import * as server from './test-server.ts';
import type { Link, World } from './test-world.ts';

export function invariants({ store, daemon: { state, durableSeq } }: World): void {
  must(state.ackedSeq <= store.appliedSeq, 'the daemon forgets only what is stored');
  must(store.appliedSeq <= durableSeq, 'only what is on the disk was sent');
  must(state.lastCommandSeq <= store.commandSeq, 'nobody takes what was never told');
}

/** No more faults: all sides talk until none has anything to say. */
function heal(fleet: readonly World[]): void {
  for (const world of fleet) {
    for (const { up, down } of world.links) for (const queue of [up, down]) queue.splice(0);
    const isDead = ({ cut, talk }: Link): boolean => cut || talk === null || !world.daemon.welcomed;
    for (const link of world.links) if (isDead(link)) link.cut = true;
  }
  for (let round = 0; round < 60; round += 1) for (const world of fleet) talk(world);
}

function talk(world: World): void {
  for (const link of world.links) server.tend(world, link);
  daemon.resendReports(world);
  for (const link of world.links) server.resendCommands(link);
  daemon.connect(world);
  const { link } = world.daemon;
  must(link !== null, 'it connects');
  while (link.up.length > 0 || link.down.length > 0) {
    for (const frame of link.up.splice(0)) server.onUp(world, link, frame, 'no');
    for (const frame of link.down.splice(0)) daemon.onDown(world, frame);
    daemon.sync(world);
  }
  daemon.sync(world);
  daemon.send(world, 3);
  server.deliver(world, link, 3);
  invariants(world);
}

export function allCame(fleet: readonly World[]): void {
  heal(fleet);
  for (const world of fleet) cameTo(world);
}

function cameTo(world: World): void {
  const { store, seen, daemon: left } = world;
  must(store.appliedSeq === left.state.lastReportSeq, 'every report is stored');
  must(left.state.ackedSeq === store.appliedSeq, 'and the daemon knows it');
  const written = new Map<string, number>();
  for (const { line } of scanLines(Buffer.concat(left.disk)).lines) {
    const entry = parseEntry(line);
    if (entry.kind !== 'report' || entry.report.kind !== 'task.outputted') continue;
    const key = `${entry.report.taskId}/${entry.report.attempt}`;
    written.set(key, (written.get(key) ?? 0) + entry.report.lines.length);
  }
  for (const [taskId, task] of store.tasks) {
    for (const [i, { output, on }] of task.attempts.entries()) {
      if (on !== world.id) continue;
      const key = `${taskId}/${i + 1}`;
      must(output.length === (written.get(key) ?? 0), `all lines of ${key} are stored`);
      must(
        output.every((line, at) => line === `${key}/${at + 1}`),
        `lines of ${key} are in order`,
      );
    }
    if (task.result !== null)
      must(task.result.words === `${taskId}/${task.result.attempt}`, 'a result is its own');
  }
  const taken = scanLines(Buffer.concat(left.disk)).lines.flatMap(({ line }) =>
    line.kind === 'command' ? [line.seq] : [],
  );
  must(
    taken.every((seq, at) => at === 0 || seq > (taken[at - 1] ?? 0)),
    'commands are taken once, in order',
  );
  const has = new Set(taken);
  for (const [seq, { command, acked }] of store.commands) {
    must(acked, `command ${seq} is acked`);
    must(has.has(seq) || seen.withdrawn.has(seq), `command ${seq} was taken`);
    if (command.kind === 'task.message' && has.has(seq))
      must((seen.messages.get(seq) ?? 0) > 0, `command ${seq} was applied`);
  }
}
