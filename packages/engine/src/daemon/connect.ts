/**
 * A daemon's hello: its next session epoch, what of its running attempts goes on and what is over, and up
 * to where its journal is applied. Attempts that the rows say run there but that the daemon does not know
 * are lost, at once: reconnecting is an exchange of what each side holds.
 */
import { channels } from '@makima/contracts/channels';
import type { Hello, Running } from '@makima/contracts/socket/frames';
import { MakimaError } from '@makima/domain/error';
import { liveAttemptsOn, renewAttempts } from '@makima/db/repo/attempts';
import {
  ackCommandRows,
  connectDaemonRow,
  lockJournal,
  startPending,
} from '@makima/db/repo/daemons';
import { lockTasks } from '@makima/db/repo/tasks';
import type { AttemptRow } from '@makima/db/rows';
import { act, type Act, type Engine } from '../context.ts';
import type { DaemonPrincipal } from '../principal.ts';
import { loseAttempt } from '../task/lose-attempt.ts';

export interface Welcome {
  readonly sessionEpoch: number;
  readonly reportAck: number;
  readonly keep: readonly Running[];
  readonly fenced: readonly Running[];
  readonly serverTime: string;
}

export async function connectDaemon(
  engine: Engine,
  caller: DaemonPrincipal,
  hello: Hello,
  at: { gatewayId: string },
): Promise<Welcome> {
  const { result } = await act(engine, { caller }, async (a): Promise<Welcome> => {
    // Journal, tasks, attempts, then the daemon's row: the order in which reports take them.
    const reportAck = await lockJournal(a.tx, {
      ownerId: a.ownerId,
      daemonId: caller.daemonId,
      journalId: hello.journalId,
    });
    if (reportAck === undefined)
      throw new MakimaError('FORBIDDEN', 'this journal belongs to another daemon');
    if (hello.lastCommandSeq > 0)
      await ackCommandRows(a.tx, { daemonId: caller.daemonId, upToSeq: hello.lastCommandSeq });
    const live = await liveAttemptsOn(a.tx, { daemonId: caller.daemonId });
    await lockTasks(a.tx, { ownerId: a.ownerId, ids: live.map((attempt) => attempt.taskId) });
    const keep = await renewAttempts(a.tx, {
      daemonId: caller.daemonId,
      running: hello.running,
      leaseMs: engine.settings.leaseMs,
    });
    const fenced = hello.running.filter(
      (r) => !keep.some((k) => k.taskId === r.taskId && k.attempt === r.attempt),
    );
    await loseUnknown(a, caller, hello, live);
    const row = await connectDaemonRow(a.tx, {
      ownerId: a.ownerId,
      id: caller.daemonId,
      gatewayId: at.gatewayId,
      bootId: hello.bootId,
      host: hello.host,
      version: hello.version,
      maxConcurrentTasks: hello.maxConcurrentTasks,
      agents: hello.agents,
    });
    if (row === undefined) throw new MakimaError('UNAUTHENTICATED', 'this daemon was revoked');
    a.emit('daemon.connected', {
      contractId: null,
      data: {
        daemonId: caller.daemonId,
        name: row.name,
        host: hello.host,
        sessionEpoch: row.sessionEpoch,
      },
    });
    a.mail(
      'spawn-task',
      { taskId: null },
      { entityId: caller.daemonId, fence: `hello-${row.sessionEpoch}` },
    );
    a.hint(channels.daemonWake(caller.daemonId));
    return {
      sessionEpoch: row.sessionEpoch,
      reportAck,
      keep,
      fenced,
      serverTime: a.now.toISOString(),
    };
  });
  return result;
}

/**
 * Attempts of this daemon that it does not hold: their process is gone with the daemon's earlier life.
 * One whose start command is not acked yet will still be started, and stays.
 */
async function loseUnknown(
  a: Act,
  caller: DaemonPrincipal,
  hello: Hello,
  live: readonly AttemptRow[],
): Promise<void> {
  for (const attempt of live) {
    const known = hello.running.some(
      (r) => r.taskId === attempt.taskId && r.attempt === attempt.attempt,
    );
    if (known) continue;
    if (
      await startPending(a.tx, {
        daemonId: caller.daemonId,
        taskId: attempt.taskId,
        attempt: attempt.attempt,
      })
    )
      continue;
    await loseAttempt(a, {
      taskId: attempt.taskId,
      attempt: attempt.attempt,
      why: 'daemon_lost',
      detail: 'the daemon came back without it',
    });
  }
}
