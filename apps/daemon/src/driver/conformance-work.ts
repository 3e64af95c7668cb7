/** Conformance: an agent starts, speaks, works in its repository, calls makima's tools. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Row } from './conformance-row.ts';
import { deed } from './conformance-row.ts';
import type { Candidate, Watched } from './conformance-stage.ts';
import { git, onStage, said } from './conformance-stage.ts';
import type { AgentCaps, StopResult } from './driver.ts';
import { readRunFile } from './run-file.ts';

export function workCases(candidate: Candidate, row: Row): void {
  let greeting: Promise<Greeting> | undefined;
  const greet = (): Promise<Greeting> => (greeting ??= playGreeting(candidate));

  it('starts, speaks, tells what it used, and leaves when told', async () => {
    const { agent, caps, sessionId, runFile, stopped, isRunFileLeft } = await greet();
    expect(runFile).toMatchObject({ pid: agent.session.pid, runId: agent.session.runId });
    const [turn] = agent.of('turn_end');
    expect(turn).toMatchObject({ outcome: 'completed', error: null });
    expect(turn?.text).toContain('Hello');
    expect(agent.said()).toContain('Hello');
    const [whole] = agent.of('text').filter((event) => !event.delta);
    const pieces = agent.of('text').filter((e) => e.delta && e.messageId === whole?.messageId);
    expect(pieces.map((piece) => piece.text).join('')).toBe(whole?.text);
    expect(agent.of('started')).toMatchObject([{ sessionId, resumed: false }]);
    const [usage, ...more] = agent.of('usage');
    expect(more).toEqual([]);
    expect(usage?.turn.input).toBeGreaterThan(0);
    const { tokens, costUsd } = candidate.hello;
    if (tokens !== null) expect(usage?.turn).toEqual(tokens);
    expect(usage?.total).toEqual(usage?.turn);
    expect(usage?.costUsd).toBe(costUsd);
    expect(costUsd !== null).toBe(caps.cost === 'usd');
    expect(stopped).toEqual({ code: 0, signal: null, swept: 0 });
    expect(agent.of('exit')).toMatchObject([{ code: 0, expected: true }]);
    expect(agent.events.map((event) => event.seq)).toEqual(agent.events.map((_, i) => i + 1));
    expect(isRunFileLeft).toBe(false);
  });

  it('goes on elsewhere with tokens of its own, and the cost of the whole conversation', () =>
    onStage(candidate, async (stage) => {
      const { tokens, costUsd } = candidate.hello;
      if (stage.subject.driver.caps.resume !== 'transcript' || tokens === null) return;
      const first = await stage.start({ prompt: said(stage.subject.prompt('hello')) });
      await first.until('turn_end');
      await first.session.stop({ graceMs: 6000 });
      const transcript = first.of('transcript').flatMap((event) => event.lines);
      const there = stage.elsewhere();
      const { driver } = there.subject;
      const moved = { driver, cwd: there.repo, mode: 'resume', attempt: 2, transcript } as const;
      const second = await stage.start({ ...moved, prompt: said('again') });
      await second.until('turn_end');
      const [usage] = second.of('usage');
      expect(usage?.turn).toEqual(tokens);
      if (costUsd !== null) expect(usage?.costUsd).toBeCloseTo(2 * costUsd, 9);
    }));

  it('tells of what it is without asking a model', () =>
    onStage(candidate, async ({ subject }) => {
      const probe = await subject.driver.probe();
      expect(probe).toMatchObject({
        kind: subject.driver.kind,
        tested: true,
        signedIn: true,
        problem: null,
      });
      expect(probe.version).toMatch(/^\d+\.\d+\.\d+$/);
    }));

  it('commits in its repository, each tool with its start and end', () =>
    row.play(deed('commit'), async ({ agent, repo }) => {
      await agent.until('turn_end', (turn) => turn.outcome === 'completed');
      expect(git(repo, 'log', '--format=%s')).toBe('add hello\nstart');
      const starts = agent.of('tool_start');
      expect(starts.length).toBeGreaterThan(0);
      expect(starts.some((tool) => tool.kind === 'shell')).toBe(true);
      const ends = agent.of('tool_end');
      expect(ends.map((end) => end.toolId)).toEqual(starts.map((tool) => tool.toolId));
      expect(ends.every((end) => end.ok && end.cause === 'finished')).toBe(true);
    }));

  it('calls a tool of makima under the id that it tells', () =>
    row.play(deed('tool'), async ({ agent, subject, tools }) => {
      const turn = await agent.until('turn_end');
      expect(turn.text).toContain('ping');
      const [tool] = agent.of('tool_start').filter((event) => event.kind === 'mcp');
      expect(tool?.name).toBe('makima_echo');
      expect(tools.calls).toEqual([
        {
          name: 'makima_echo',
          args: { value: 'ping' },
          toolId: subject.driver.caps.toolIds ? tool?.toolId : null,
        },
      ]);
      expect(tools.refused).toBe(0);
    }));

  it('has nothing of the daemon in its environment, and gives way to others', () =>
    row.play(deed('environment'), async ({ agent, repo }) => {
      await agent.until('turn_end', (turn) => turn.outcome === 'completed');
      const seen = readFileSync(join(repo, 'env.txt'), 'utf8');
      expect(seen).toContain(`MAKIMA_RUN_ID=${agent.session.runId}`);
      expect(seen).toContain('MAKIMA_TASK_ID=task-1');
      expect(seen).toMatch(/^nice=1\d$/m);
      expect(seen).not.toMatch(/DATABASE_URL|REDIS_URL|MAKIMA_SECRET|hunter2/);
    }));

  it.each([false, true])('obeys what its repository executes only when trusted: %s', (trusted) =>
    onStage(candidate, async ({ start, subject, repo }) => {
      expect(candidate.snare !== null).toBe(subject.driver.caps.projectSettings);
      candidate.snare?.(repo);
      const agent = await start({ trusted, prompt: said(subject.prompt('hello')) });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      await agent.session.stop({ graceMs: 6000 });
      const obeys = trusted && subject.driver.caps.projectSettings;
      expect(existsSync(join(repo, 'snared'))).toBe(obeys);
    }),
  );

  it('refuses to be given what could be a secret of the daemon', () =>
    onStage(candidate, async ({ start }) => {
      for (const name of ['DATABASE_URL', 'MAKIMA_SECRET', 'LD_PRELOAD', 'PGPASSWORD', 'A B']) {
        await expect(start({ env: { [name]: 'x' } })).rejects.toMatchObject({
          code: 'COMMAND_FAILED',
          details: { reason: 'bad_spec' },
        });
      }
    }));

  it('streams its conversation while it grows', async () => {
    const { agent, caps } = await greet();
    if (!caps.mirror) {
      expect(agent.of('transcript')).toEqual([]);
      return;
    }
    const lines = agent.of('transcript').flatMap((event) => event.lines);
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
}

/** A whole life of an agent: started, greeted, told to leave. */
interface Greeting {
  readonly agent: Watched;
  readonly caps: AgentCaps;
  readonly sessionId: string;
  /** As it was while the agent ran. */
  readonly runFile: ReturnType<typeof readRunFile>;
  readonly stopped: StopResult;
  readonly isRunFileLeft: boolean;
}

function playGreeting(candidate: Candidate): Promise<Greeting> {
  return onStage(candidate, async ({ start, subject, root, sessionId }) => {
    const home = join(root, 'runs', 'first');
    const agent = await start({ home, prompt: said(subject.prompt('hello')) });
    const runFile = readRunFile(home);
    await agent.until('turn_end');
    const stopped = await agent.session.stop({ graceMs: 6000 });
    await agent.until('exit');
    const isRunFileLeft = existsSync(join(home, 'run.json'));
    return { agent, caps: subject.driver.caps, sessionId, runFile, stopped, isRunFileLeft };
  });
}
