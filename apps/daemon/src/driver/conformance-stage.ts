/**
 * The stage on which conformance cases play: a repository, a private home, a tool server, a session whose
 * events are all kept and can be waited for.
 *
 * Law: real processes and real git; waiting is for an event, never for time; whatever was started is gone
 * when the case is over, and that is asserted.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { watch as watchFolder } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { ToolServer } from './conformance-tools.ts';
import { startToolServer } from './conformance-tools.ts';
import type { AgentDriver, AgentSession, StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import type { AgentEvent, EventOf, Tokens } from './events.ts';
import { processesOfRuns } from './process-table.ts';
import { startFailureReason } from './start-failure.ts';

/**
 * What an agent is asked for in a case:
 * `hello` says a sentence with "Hello" in it · `commit` makes hello.txt and commits it as "add hello" · `tool`
 * calls makima_echo with value "ping" and says its answer · `environment` writes `env` to env.txt · `question`
 * asks "Which database?" (Postgres, SQLite) and says what came back · `wait` remembers "magenta", runs a
 * program that makes the file `started`, leaves a child with a session of its own, and ends when the file `go`
 * appears, then says the remembered word. Whatever is said to the agent later it says again.
 */
export type Deed = 'hello' | 'commit' | 'tool' | 'environment' | 'question' | 'wait';

/** One kind of agent in one home (a home stands for a machine). */
export interface Subject {
  readonly driver: AgentDriver;
  prompt(deed: Deed): string;
}

/** Ways in which a model fails; those with `_once` pass when it is asked again. */
export type Fault =
  | 'rate_limited_once'
  | 'cut_once'
  | 'rate_limited'
  | 'overloaded'
  | 'broken'
  | 'cut'
  | 'hanging'
  | 'hanging_midway';

export interface Candidate {
  readonly name: string;
  open(home: string): Subject;
  /** The prompt that meets the fault; null for a kind that asks no model. */
  readonly faults: ((fault: Fault) => string) | null;
  /** An agent whose plan's limit rejects what it is asked, for at most two hours; null without `rateLimits`. */
  readonly limited: ((home: string) => { driver: AgentDriver; prompt: string }) | null;
  /**
   * Commits settings of this kind to the repository that make the file `snared` there when they are obeyed;
   * null without `projectSettings`.
   */
  readonly snare: ((repo: string) => void) | null;
  /** What it tells that it used for `hello`; tokens null where they depend on the words. */
  readonly hello: { readonly tokens: Tokens | null; readonly costUsd: number | null };
  /** What it may take to be ready, for a kind that takes seconds of processor time. */
  readonly startMs?: number;
  /** What its runtime is told, so that it begins with less of it. */
  readonly environment?: Environment;
}

/** What an agent may take to be ready, where its kind is not slower. */
const usualStartMs = 15_000;

export interface Watched {
  readonly session: AgentSession;
  readonly events: readonly AgentEvent[];
  /** The first event of that kind, past or future, that fits and comes after `after`. */
  readonly until: <T extends AgentEvent['t']>(
    t: T,
    fits?: (event: EventOf<T>) => boolean,
    after?: number,
  ) => Promise<EventOf<T> & { readonly seq: number }>;
  readonly of: <T extends AgentEvent['t']>(t: T) => readonly EventOf<T>[];
  /** All that it said. */
  readonly said: () => string;
}

export interface Stage {
  readonly root: string;
  readonly repo: string;
  readonly subject: Subject;
  readonly tools: ToolServer;
  readonly sessionId: string;
  readonly startMs: number;
  /** Starts the stage's agent (or that of another driver) and keeps all that it tells. */
  readonly start: (
    spec?: Partial<StartSpec> & { readonly driver?: AgentDriver },
  ) => Promise<Watched>;
  /** A further machine: another home and another repository. */
  readonly elsewhere: () => { readonly subject: Subject; readonly repo: string };
}

/** A stage that stands, and how it is cleared; that fails when a process of its plays is left. */
export interface OpenStage {
  readonly stage: Stage;
  readonly clear: () => Promise<void>;
}

export async function setStage(candidate: Candidate): Promise<OpenStage> {
  const root = mkdtempSync(join(tmpdir(), 'makima-driver-'));
  const tools = await startToolServer();
  const runs = new Set<string>();
  const started: AgentSession[] = [];
  const place = (name: string) => ({
    subject: candidate.open(folder(root, `home-${name}`)),
    repo: repository(folder(root, `repo-${name}`)),
  });
  const { subject, repo } = place('here');
  const sessionId = randomUUID();
  const stage: Stage = {
    root,
    repo,
    subject,
    tools,
    sessionId,
    startMs: candidate.startMs ?? usualStartMs,
    elsewhere: () => place('there'),
    async start({ driver = subject.driver, ...spec } = {}) {
      const full = specOf(stage, { env: candidate.environment ?? {}, ...spec });
      runs.add(full.runId);
      const session = await driver.start(full);
      started.push(session);
      return watch(session);
    },
  };
  return {
    stage,
    async clear() {
      for (const session of started) await session.stop({ graceMs: 0 });
      const left = processesOfRuns(runs);
      await tools.close();
      rmSync(root, { recursive: true, force: true });
      expect(left).toEqual([]);
    },
  };
}

/** Sets a stage for one case, plays, and clears it. */
export async function onStage<T>(
  candidate: Candidate,
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { stage, clear } = await setStage(candidate);
  try {
    return await play(stage);
  } finally {
    await clear();
  }
}

function specOf(stage: Stage, spec: Partial<StartSpec>): StartSpec {
  const runId = spec.runId ?? randomUUID();
  return {
    runId,
    taskId: 'task-1',
    attempt: 1,
    sessionId: stage.sessionId,
    cwd: stage.repo,
    home: join(stage.root, 'runs', runId),
    mode: 'new',
    permission: 'bypass',
    tools: { url: stage.tools.url, token: stage.tools.token },
    limits: { startMs: stage.startMs },
    ...spec,
  };
}

/** A message with a fresh id. */
export function said(text: string): { readonly id: string; readonly text: string } {
  return { id: randomUUID(), text };
}

/** Why a start failed. */
export async function reasonOf(start: Promise<unknown>): Promise<string | null> {
  return start.then(
    () => 'it started',
    (cause: unknown) => startFailureReason(cause),
  );
}

/** Resolves when the file is there. */
export async function appears(path: string): Promise<void> {
  const seen = watchFolder(dirname(path));
  if (existsSync(path)) return;
  for await (const _ of seen) if (existsSync(path)) return;
}

export function git(repo: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: repo, encoding: 'utf8' }).trim();
}

function folder(root: string, name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

function repository(path: string): string {
  git(path, 'init', '-q', '-b', 'main');
  git(path, 'config', 'user.name', 'Test');
  git(path, 'config', 'user.email', 'test@makima.invalid');
  git(path, 'commit', '-q', '--allow-empty', '-m', 'start');
  return path;
}

/** Its whole texts, as it would be read. */
export const spokenIn = (of: Watched['of']): string =>
  of('text')
    .filter((event) => !event.delta && !event.thinking)
    .map((event) => event.text)
    .join('\n');

export function watch(session: AgentSession): Watched {
  const events: AgentEvent[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  const rouse = () => {
    for (const look of waiting) look();
  };
  void (async () => {
    for await (const event of session.events) {
      events.push(event);
      rouse();
    }
    over = true;
    rouse();
  })();
  const of = <T extends AgentEvent['t']>(t: T) =>
    events.filter((event) => event.t === t) as unknown as (EventOf<T> & { seq: number })[];
  return {
    session,
    events,
    of,
    said: () => spokenIn(of),
    until(t, fits = () => true, after = 0) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = of(t).find((event) => event.seq > after && fits(event));
          if (found === undefined && !over) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else
            reject(
              new Error(`The session ended without "${t}": ${JSON.stringify(events.slice(-8))}`),
            );
        };
        waiting.add(look);
        look();
      });
    },
  };
}
