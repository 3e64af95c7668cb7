/** An agent that must ask before it acts: the way of its prompts through the daemon and back. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from '@makima/contracts/socket/frames';
import type { ReportOf } from '@makima/contracts/socket/reports';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

describe('an agent that asks before it acts', () => {
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  beforeEach(async () => {
    gateway = await createFakeGateway();
    daemon = await createTestDaemon({ gatewayUrl: gateway.url });
    await daemon.start();
  });
  afterEach(async () => {
    await daemon.drop();
    await gateway.stop();
  });

  const script =
    '- run: [sh, -c, "echo done > made.txt; cat made.txt"]\n  as: made\n- say: "got ${made}"';
  const ask = { permissionMode: 'ask' as const };
  const asked = (n: number): Promise<ReportOf<'agent.asked'>> =>
    gateway.until(`question ${n}`, () => gateway.of('agent.asked')[n - 1]);
  const said = (of: Running): string =>
    gateway
      .lines(of)
      .filter((line) => line.messageType === 'assistant')
      .map((line) => line.content)
      .join();
  const answer = ({ taskId, attempt }: Running, requestId: string, words: string): void => {
    const text = `[User Response to Question]\nAnswer: ${words}\n`;
    const message = { id: randomUUID(), text, mode: 'queue', requestId, answer: words } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
  };

  it('shows what it would do, and does it when it may', async () => {
    const start = startCommand(script, ask);
    gateway.command(start);
    const report = await asked(1);
    expect(report).toMatchObject({
      questionType: 'permission',
      tool: { name: 'run', input: { args: ['sh', '-c', expect.stringContaining('made.txt')] } },
    });
    answer(start, report.requestId, 'Allow');
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start)).toContain('"output":"done');
  });

  it('does nothing of what it may not, and reads why', async () => {
    const start = startCommand(script, ask);
    gateway.command(start);
    answer(start, (await asked(1)).requestId, 'deny: use the other file');
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start)).toContain('{"denied":"use the other file"}');
    expect(gateway.lines(start).find((line) => line.messageType === 'tool_result')).toMatchObject({
      isError: true,
      content: 'use the other file',
    });
  });

  it('asks nothing where it need not', async () => {
    const start = startCommand(script);
    gateway.command(start);
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(gateway.of('agent.asked')).toEqual([]);
  });

  it('broken off takes its prompt back, and asks the same again', async () => {
    const start = startCommand(script, ask);
    gateway.command(start);
    const { requestId } = await asked(1);
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'read this first', mode: 'interrupt' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    expect((await asked(2)).requestId).toBe(requestId);
    expect(gateway.of('agent.withdrew')).toMatchObject([{ taskId, attempt, requestId }]);
    answer(start, requestId, 'allow');
    expect((await gateway.ended(start)).outcome).toBe('done');
  });

  it('killed and resumed asks under the same name; the prompt of the dead is not taken back', async () => {
    const start = startCommand(script, ask);
    gateway.command(start);
    const { requestId } = await asked(1);
    const { pid } = await gateway.until('the start', () => gateway.of('task.started')[0]);
    process.kill(pid, 'SIGKILL');
    expect((await gateway.ended(start)).outcome).toBe('crashed');
    expect(gateway.of('agent.withdrew')).toEqual([]);
    const next = { ...start, attempt: 2, resumeSession: true };
    gateway.command(next);
    expect(await asked(2)).toMatchObject({ attempt: 2, requestId });
    answer(next, requestId, 'Allow');
    expect((await gateway.ended(next)).outcome).toBe('done');
    expect(said(next)).toContain('"output":"done');
  });

  it('stopped by us keeps its prompt open for when it goes on', async () => {
    const start = startCommand(script, ask);
    gateway.command(start);
    await asked(1);
    const { taskId, attempt } = start;
    gateway.command({ kind: 'task.stop', taskId, attempt, reason: 'paused', graceMs: 2_000 });
    expect((await gateway.ended(start)).outcome).toBe('stopped');
    expect(gateway.of('agent.withdrew')).toEqual([]);
  });
});
