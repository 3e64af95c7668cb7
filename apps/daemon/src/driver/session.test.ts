/** A session of a program that misbehaves: it floods, babbles, writes endless lines, or never gets ready. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watch } from './conformance-stage.ts';
import type { Dialect, DialectLink } from './dialect.ts';
import type { AgentLimits, AgentSession } from './driver.ts';
import { processesOfRuns } from './process-table.ts';
import { startSession } from './session.ts';
import { startFailureReason } from './start-failure.ts';

let root: string;
let runId: string;
const sessions: AgentSession[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'makima-session-'));
  runId = randomUUID();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.stop({ graceMs: 0 });
  expect(processesOfRuns(new Set([runId]))).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

/** Lines of the program are words: "ready", "work", "rest"; anything else is a log. */
function plainDialect(link: DialectLink): Dialect {
  return {
    begin: () => link.writeLine('hello'),
    read(line) {
      if (line === 'ready') link.ready();
      else if (line === 'work') link.emit({ t: 'state', state: 'working' });
      else if (line === 'rest') link.emit({ t: 'state', state: 'idle' });
      else link.emit({ t: 'log', stream: 'stdout', line, cutBytes: 0 });
    },
    cut: () => undefined,
    opening: () => [],
    message: (message) => message.text,
    interrupt: () => 'interrupt',
    answer: () => null,
    ended: () => undefined,
  };
}

async function start(program: string, limits: AgentLimits = {}): Promise<AgentSession> {
  const session = await startSession({
    kind: 'scripted',
    command: process.execPath,
    args: ['-e', program],
    env: { PATH: process.env.PATH ?? '', MAKIMA_RUN_ID: runId },
    dialect: plainDialect,
    spec: {
      runId,
      taskId: 't',
      attempt: 1,
      sessionId: 's',
      mode: 'new',
      permission: 'bypass',
      cwd: root,
      home: join(root, 'run'),
      limits: { startMs: 10_000, ...limits },
    },
  });
  sessions.push(session);
  return session;
}

const ready = 'console.log("ready"); process.stdin.resume();';

describe('a session', () => {
  it('cuts a line of 10 MB, says so, and goes on', async () => {
    const agent = watch(
      await start(`${ready} process.stdout.write("x".repeat(10e6) + "\\n"); console.log("after");`),
    );
    const cut = await agent.until('log', ({ cutBytes }) => cutBytes > 0);
    expect(cut).toMatchObject({ stream: 'stdout', cutBytes: 10e6, line: 'x'.repeat(500) });
    await agent.until('log', ({ line }) => line === 'after');
  });

  it('holds back an agent whose events nobody reads, and loses none of them', async () => {
    const session = await start(
      `${ready} for (let n = 0; n < 40000; n++) console.log("line " + n);`,
    );
    // The pipe holds some thousand lines at most; the rest waits in the agent.
    const reader = session.events[Symbol.asyncIterator]();
    const seen: string[] = [];
    while (seen.length < 40000) {
      const { value, done } = await reader.next();
      if (done === true) break;
      if (value.t === 'log' && value.stream === 'stdout') seen.push(value.line);
    }
    expect(seen).toEqual(Array.from({ length: 40000 }, (_, n) => `line ${n}`));
  });

  it('can be stopped while nobody reads', async () => {
    const session = await start(`${ready} setInterval(() => console.log("y".repeat(1000)), 0);`);
    const { code, signal } = await session.stop({ graceMs: 600 });
    expect(code === null || signal === null).toBe(true);
  });

  it('tells of what it writes to stderr', async () => {
    const agent = watch(await start(`${ready} console.error("oh dear");`));
    expect(await agent.until('log')).toMatchObject({ stream: 'stderr', line: 'oh dear' });
  });

  it('fails to start when the program ends first, with its last words', async () => {
    const failed = start('console.error("no such luck"); process.exit(3);');
    await expect(failed).rejects.toThrow(/with code 3 .* no such luck/);
    await failed.catch((error: unknown) => expect(startFailureReason(error)).toBe('exited'));
  });

  it('fails to start when the program is never ready, and ends it', async () => {
    const failed = start('process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6);', {
      startMs: 300,
    });
    await failed.catch((error: unknown) => expect(startFailureReason(error)).toBe('start_timeout'));
    expect(processesOfRuns(new Set([runId]))).toEqual([]);
  });

  it('tells of silence only while it should work', async () => {
    const agent = watch(
      await start(`${ready} process.stdin.on("data", (d) => console.log(String(d).trim()));`, {
        stallMs: 60,
      }),
    );
    const send = (text: string) =>
      agent.session.send({ id: randomUUID(), text }).catch(() => undefined);
    void send('work');
    await agent.until('stalled', ({ count }) => count === 2);
    void send('rest');
    const { seq } = await agent.until('state', ({ state }) => state === 'idle');
    void send('work');
    await agent.until('stalled', ({ count }) => count === 1, seq);
    void send('rest');
    void agent.session.stop({ graceMs: 0 });
    expect(await agent.until('exit')).toMatchObject({ expected: true });
  });
});
