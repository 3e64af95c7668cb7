/**
 * The life of one attempt: prepare, launch, listen, end. Everything that may go wrong ends here, in one
 * `task.ended`.
 *
 * Law: exactly one end is reported per attempt, after no process of it is left and after its work stands in
 * the store, or waits in its directory for the attempt that goes on with it; never rejects.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { isMakimaError } from '@makima/domain/error';
import { racepoint } from '@makima/runtime/racepoint';
import type { DaemonContext } from '../context.ts';
import { inSpan } from '@makima/runtime/tracing';
import type { RefusalReason } from '../git/failure.ts';
import type { Collected } from '../workspace/port.ts';
import { launch } from './launch.ts';
import { cleanText, ownLine } from './lines.ts';
import { listen } from './listen.ts';
import type { Ending, LiveAttempt } from './live.ts';
import { prepare } from './prepare.ts';
import { traced } from './traced.ts';
import { answerQuestion } from './questions.ts';

/** One span of the trace that its command belongs to. */
export function live(context: DaemonContext, attempt: LiveAttempt): Promise<void> {
  const { start } = attempt;
  const attributes = { 'makima.task': start.taskId, 'makima.attempt': start.attempt };
  return inSpan({ name: `agent ${start.agent}`, parent: start.trace, attributes }, () =>
    liveOn(context, attempt),
  );
}

async function liveOn(context: DaemonContext, attempt: LiveAttempt): Promise<void> {
  const { taskId, attempt: number } = attempt.start;
  const log = context.log.child({ taskId, attempt: number });
  try {
    await run(context, attempt);
  } catch (error) {
    log.warn({ err: error }, 'the attempt did not start');
    attempt.ending ??= startFailed(error);
    await attempt.output.add(ownLine('error', attempt.ending.error ?? 'it did not start'));
  }
  try {
    const ending = attempt.ending ?? crashed(attempt);
    await end(context, attempt, ending);
    log.info({ outcome: ending.outcome }, 'attempt ended');
  } catch (error) {
    // Only a journal that is closed does this: the next start of the daemon reports the end.
    log.error({ err: error }, 'the end was not written');
  } finally {
    for (const undo of attempt.undo) undo();
    await rm(join(context.home.runs, attempt.runId), { recursive: true, force: true }).catch(
      (error: unknown) => log.warn({ err: error }, 'a run folder was not removed'),
    );
  }
}

async function run(context: DaemonContext, attempt: LiveAttempt): Promise<void> {
  const { start } = attempt;
  for (const message of start.messages) attempt.mailbox.post(message);
  const former = await context.records.read(start.taskId);
  attempt.record = await prepare(context, attempt);
  const agent = await launch(context, attempt, former);
  await context.journal.report({
    kind: 'task.started',
    ...traced(),
    taskId: start.taskId,
    attempt: start.attempt,
    pid: agent.pid,
    sessionId: start.sessionId,
    baseSha: attempt.record.baseSha,
    branch: attempt.record.branch,
    worktreePath: attempt.record.directory,
    agentVersion: context.drivers.get(start.agent)?.version ?? 'unknown',
    resumedFrom: attempt.resumedFrom,
  });
  // A stop may have come while the agent was being started.
  if (attempt.ending !== null) void agent.stop({ graceMs: attempt.ending.graceMs });
  else {
    attempt.mailbox.open(async (message) => {
      if (await answerQuestion(attempt, message)) {
        attempt.mailbox.receipt(message.id, 'done');
        return;
      }
      await agent.send({ id: message.id, text: message.text, when: whenOf[message.mode] });
    });
  }
  await listen(context, attempt, agent);
}

const whenOf = { queue: 'later', steer: 'next', interrupt: 'now' } as const;

async function end(context: DaemonContext, attempt: LiveAttempt, ending: Ending): Promise<void> {
  const { start, record } = attempt;
  attempt.mailbox.close();
  await attempt.agent?.stop({ graceMs: ending.graceMs });
  await attempt.output.flush();
  // Whoever died goes on in this directory in a moment, as a rule: nothing stands in its way.
  const goesOn = ending.outcome === 'crashed';
  let final = ending;
  let collected: Collected = {
    commitSha: null,
    settledSha: null,
    keptRef: null,
    leftoverSha: null,
  };
  if (record !== null && !goesOn) {
    const commits = ending.outcome === 'done' && context.config.commitLeftovers;
    let isCollected = true;
    try {
      collected = await context.workspace.collect(record, {
        leftovers: commits ? 'commit' : 'keep',
        why: ending.outcome,
      });
    } catch (error) {
      context.log.error({ err: error, taskId: start.taskId }, 'work was not collected');
      final = uncollected(ending, error);
      isCollected = false;
    }
    const { settledSha, leftoverSha } = collected;
    await context.records.write({ ...record, settledSha, leftoverSha, collected: isCollected });
  }
  await racepoint('daemon.before_end');
  await context.journal.report({
    kind: 'task.ended',
    ...traced(),
    taskId: start.taskId,
    attempt: start.attempt,
    ...(final.sessionLost === true ? { sessionLost: true } : {}),
    ...(final.permanent === true ? { permanent: true } : {}),
    outcome: final.outcome,
    ...(final.limit === undefined ? {} : { limit: final.limit }),
    summary: cleanText(final.summary),
    error: final.error === null ? null : cleanText(final.error),
    exitCode: attempt.exit.code,
    signal: attempt.exit.signal,
    commitSha: collected.commitSha,
    keptRef: collected.keptRef,
    usage: attempt.usage.total(),
  } satisfies ReportOf<'task.ended'>);
  if (goesOn) context.left.later();
  else if (ending.outcome !== 'done') void context.kept.tell();
  await racepoint('daemon.after_end');
}

function startFailed(error: unknown): Ending {
  return {
    outcome: 'start_failed',
    ...(isSessionLost(error) ? { sessionLost: true as const } : {}),
    ...(isPermanent(error) ? { permanent: true as const } : {}),
    summary: '',
    error: cleanText(
      isMakimaError(error) && error.fix !== undefined
        ? `${words(error).replace(/\.$/, '')}. ${error.fix}`
        : words(error),
    ),
    graceMs: 0,
  };
}

function isSessionLost(error: unknown): boolean {
  return isMakimaError(error) && error.details['reason'] === 'no_conversation';
}

/** Faults of what the contract names: the same wherever and however often it is tried. */
const permanent: ReadonlySet<unknown> = new Set<RefusalReason>([
  'branch_missing',
  'not_a_repository',
  'source_missing',
  'source_empty',
]);

function isPermanent(error: unknown): boolean {
  return isMakimaError(error) && permanent.has(error.details['reason']);
}

function crashed(attempt: LiveAttempt): Ending {
  const { code, signal } = attempt.exit;
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  return { outcome: 'crashed', summary: '', error: `the agent's process ended ${how}`, graceMs: 0 };
}

/** Work that is not in the store is not done, whatever the agent said. */
function uncollected(ending: Ending, error: unknown): Ending {
  const why = `its work could not be collected: ${cleanText(words(error))}`;
  return {
    ...ending,
    outcome: ending.outcome === 'done' ? 'failed' : ending.outcome,
    error: ending.error === null ? why : `${ending.error}; ${why}`,
  };
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
