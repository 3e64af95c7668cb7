/**
 * The daemon put together: journal, drivers, tool door, attempts, link. Starts, stops, and what happens in
 * which order when it does.
 *
 * Law: before it speaks to anybody, everything that a former life of it left running is dead. When it stops,
 * nothing of it runs on.
 */
import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { mintId } from '@makima/contracts/ids';
import type { ServerAsk } from '@makima/contracts/socket/asks';
import type { Running, ServerFrameOf } from '@makima/contracts/socket/frames';
import type { Log } from '@makima/runtime/log';
import { withMakima } from './agent-path.ts';
import { bootClockMs } from './clock.ts';
import type { CommandContext } from './commands/command-context.ts';
import { dispatch } from './commands/dispatch.ts';
import { fetchBranch } from './commands/fetch-pack.ts';
import { createOperations } from './commands/operation.ts';
import { recordFor } from './commands/record-for.ts';
import { reportEnd } from './commands/report-end.ts';
import type { DaemonConfig } from './config.ts';
import type { DaemonContext } from './context.ts';
import { sweepLeftovers } from './driver/kill.ts';
import { daemonDrivers, probeDrivers, type ProbedDrivers } from './drivers.ts';
import { accessTo, readToken } from './forge/token.ts';
import { readGitVersion } from './git/version.ts';
import { homeAt, type Home } from './home.ts';
import { openJournal, type Journal } from './journal/journal.ts';
import { createLink, type Link } from './link/link.ts';
import { openToolDoor } from './mcp/door.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import { createAttempts, revokedEnding } from './session/attempts.ts';
import { createLeaseKeeper, type LeaseKeeper } from './session/leases.ts';
import { openRecords } from './session/records.ts';
import { reportFormerLife } from './session/former-life.ts';
import { createKeptTeller } from './session/kept-work.ts';
import { createLeftWork } from './session/left-work.ts';
import { gitWorkspace } from './workspace/git.ts';

export const daemonVersion = '0.1.0';

export interface Daemon {
  readonly bootId: string;
  readonly connected: boolean;
  readonly running: readonly Running[];
  /** Ends agents, keeps their work, sends what can be sent in its time. */
  stop(): Promise<void>;
}

export async function startDaemon(config: DaemonConfig, log: Log): Promise<Daemon> {
  const home = homeAt(config.homeDir);
  const secrets = createSecrets();
  secrets.add('daemon-key', config.key);
  // Known from the start, so that whatever carries it in is written down without it.
  await readToken(config.forge.tokenFile, secrets).catch(() => undefined);
  await sweepLeftovers(home.runs);
  const journal = await openDaemonJournal(config, home, secrets, log);
  const environment = await withMakima(config, home, log);
  const [probed] = await Promise.all([
    probeDrivers(daemonDrivers({ ...config, environment }, home), config.accounts),
    warnOfOldGit(log),
  ]);
  const context = await createContext({ config, home, secrets, journal, probed, log }, (ask) =>
    link.ask(ask),
  );
  const attempts = createAttempts(context);
  const to: CommandContext = { context, attempts, operations: createOperations(context) };
  const keeper = createLeaseKeeper({
    attempts,
    freezeAfterMs: config.timings.freezeAfterMs,
    now: context.now,
    log,
  });
  const bootId = context.newId();
  const link = linkOf(to, keeper, { bootId, probed });
  const leaseTimer = setInterval(() => keeper.tick(), config.timings.leaseTickMs);
  const reported = reportFormerLife(context).catch((error: unknown) =>
    log.error({ err: error }, 'ends of the former life were not told'),
  );
  const told = context.kept.tell();
  context.left.later();
  link.start();
  let stopping: Promise<void> | null = null;
  return {
    bootId,
    get connected() {
      return link.welcomed;
    },
    get running() {
      return runningHere(journal);
    },
    stop() {
      stopping ??= stop(to, link, { leaseTimer, reported: Promise.all([reported, told]) });
      return stopping;
    },
  };
}

async function warnOfOldGit(log: Log): Promise<void> {
  const { ok, version, fix } = await readGitVersion();
  if (!ok) log.error({ version }, fix ?? 'git is too old');
}

type Parts = Pick<DaemonContext, 'config' | 'home' | 'secrets' | 'journal' | 'log'> & {
  readonly probed: ProbedDrivers;
};

async function createContext(parts: Parts, ask: DaemonContext['ask']): Promise<DaemonContext> {
  const { config, home, log, probed } = parts;
  const { apiUrl, allowHosts, timings } = config;
  const workspace = gitWorkspace({
    home: home.git,
    allowHosts,
    accessTo: (host) => accessTo(host, config.forge, parts.secrets),
    fetchBranch: (head, signal) => fetchBranch({ ask, config, now: bootClockMs }, head, signal),
  });
  const records = openRecords(home.tasks);
  const kept = createKeptTeller({ ...parts, workspace, records }, home.toldFile);
  return {
    ...parts,
    drivers: probed.drivers,
    workspace,
    records,
    kept,
    left: createLeftWork({ ...parts, workspace, records, kept }, { afterMs: timings.leftWorkMs }),
    tools: await openToolDoor({ apiUrl, log, retryMs: timings.toolRetryMs }),
    ask,
    newId,
    now: bootClockMs,
  };
}

function newId(): string {
  return mintId(Date.now(), randomBytes(10));
}

function openDaemonJournal(
  config: DaemonConfig,
  home: Home,
  secrets: Secrets,
  log: Log,
): Promise<Journal> {
  return openJournal({
    directory: home.journal,
    newJournalId: newId,
    redact: secrets.redact,
    onTrouble: (error) => log.error({ err: error }, 'the journal has trouble'),
    capBytes: config.journalCapBytes,
  });
}

function linkOf(
  to: CommandContext,
  keeper: LeaseKeeper,
  known: { readonly bootId: string; readonly probed: ProbedDrivers },
): Link {
  const { context } = to;
  const { config, journal } = context;
  let replayed = false;
  return createLink({
    url: config.gatewayUrl,
    key: config.key,
    log: context.log,
    journal,
    timings: config.timings,
    now: context.now,
    newId: context.newId,
    hello: {
      bootId: known.bootId,
      version: daemonVersion,
      host: hostname(),
      maxConcurrentTasks: config.maxTasks,
      agents: known.probed.infos,
    },
    handlers: {
      running: () => runningHere(journal),
      freeDiskBytes: () => freeDisk(context.home.root),
      welcomed(frame, atMs) {
        keeper.heard({ kept: frame.keep, fenced: frame.fenced }, atMs);
        dropFencedStarts(to, frame);
        if (replayed) return;
        replayed = true;
        replayPending(to);
      },
      leased(frame, atMs) {
        keeper.heard({ kept: frame.renewed, fenced: frame.fenced, leaseMs: frame.leaseMs }, atMs);
      },
      replaced: () => keeper.replaced(),
      revoked() {
        for (const { start } of to.attempts.all()) void to.attempts.end(start, revokedEnding);
      },
      apply: (seq, command) => dispatch(to, seq, command),
      asked: (ask) => answerServer(context, ask),
    },
  });
}

/** What the server must count as ours: agents that live, and ends that it has not heard. */
function runningHere(journal: Journal): Running[] {
  return [...journal.state.attempts.values()].map(({ taskId, attempt }) => ({ taskId, attempt }));
}

/** A start that was taken by a former life and never begun, and that the server has given away since. */
function dropFencedStarts(to: CommandContext, frame: ServerFrameOf<'welcome'>): void {
  const { journal } = to.context;
  for (const [seq, command] of journal.state.pending) {
    if (command.kind !== 'task.start' || to.attempts.find(command) !== null) continue;
    const { taskId, attempt } = command;
    if (!frame.fenced.some((of) => of.taskId === taskId && of.attempt === attempt)) continue;
    void reportEnd(to.context, command, { outcome: 'fenced', summary: 'it was not begun here' });
    void journal.applied(seq).catch(() => undefined);
  }
}

/** Commands that a former life took and did not finish. */
function replayPending(to: CommandContext): void {
  for (const [seq, command] of to.context.journal.state.pending) dispatch(to, seq, command);
}

async function answerServer(context: DaemonContext, ask: ServerAsk): Promise<unknown> {
  switch (ask.kind) {
    case 'read-file': {
      const record = await recordFor(context, { taskId: ask.taskId });
      return context.workspace.readFile(record, ask.filePath);
    }
  }
}

async function freeDisk(path: string): Promise<number | null> {
  const found = await statfs(path);
  return found.bavail * found.bsize;
}

async function stop(
  { context, attempts, operations }: CommandContext,
  link: Link,
  parts: { readonly leaseTimer: NodeJS.Timeout; readonly reported: Promise<unknown> },
): Promise<void> {
  const { timings } = context.config;
  link.close();
  await attempts.drain({
    outcome: 'daemon_restarted',
    summary: 'the daemon was stopped',
    error: null,
    graceMs: timings.drainGraceMs,
  });
  clearInterval(parts.leaseTimer);
  await Promise.race([
    Promise.all([operations.idle(), parts.reported, context.left.stop()]),
    new Promise((resolve) => setTimeout(resolve, timings.drainFlushMs).unref()),
  ]);
  if (link.welcomed) await link.flushed(timings.drainFlushMs);
  link.stop();
  await context.tools.stop();
  await context.journal.close();
}
