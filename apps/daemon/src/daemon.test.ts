/** The daemon as a process against a gateway with levers: start, talk, stop. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { socketProtocol, type Running } from '@makima/contracts/socket/frames';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
import { same } from './test/gateway-talk.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';

describe('a daemon', () => {
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

  const said = (of: Running): string[] =>
    gateway
      .lines(of)
      .filter((line) => line.messageType === 'assistant')
      .map((line) => line.content);
  const saying = (of: Running, words: string): Promise<boolean> =>
    gateway.until(`"${words}"`, () => said(of).includes(words));
  const receipts = (messageId: string): string[] =>
    gateway
      .of('message.received')
      .filter((report) => report.messageId === messageId)
      .map((report) => report.state);

  it('starts an agent, tells what it says, and its end', async () => {
    const start = startCommand('- say: hello\n- say: world\n- done: all said');
    gateway.command(start);
    const ended = await gateway.ended(start);
    expect(ended).toMatchObject({ outcome: 'done', error: null, exitCode: 0 });
    expect(ended.summary).toContain('all said');
    expect(said(start)).toEqual(expect.arrayContaining(['hello', 'world']));
    expect(gateway.of('task.started')).toMatchObject([
      { taskId: start.taskId, resumedFrom: 'new', agentVersion: '1.0.0' },
    ]);
    expect(gateway.faults).toEqual([]);
    expect(daemon.ledger().filter((line) => line['event'] === 'start')).toHaveLength(1);
  });

  it('tells in hello what it is and what it has', async () => {
    const hello = await gateway.until('hello', () => gateway.hellos[0]);
    expect(hello).toMatchObject({ protocol: socketProtocol, lastCommandSeq: 0, running: [] });
    expect(hello.agents.find((agent) => agent.kind === 'scripted')).toMatchObject({
      available: true,
      tested: true,
    });
  });

  it('hands a message to a running agent, once, with its receipts', async () => {
    const start = startCommand('- say: ready\n- wait_message:\n  as: m\n- say: got ${m.text}');
    gateway.command(start);
    await saying(start, 'ready');
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'the word', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start).filter((words) => words === 'got the word')).toHaveLength(1);
    expect(new Set(receipts(message.id))).toContain('delivered');
  });

  it('gives what came with the start first, and ends only when everything is read', async () => {
    const start = startCommand('- say: one\n- wait_message:\n  as: a\n- say: then ${a.text}', {
      messages: [{ id: randomUUID(), text: 'the notice', mode: 'steer' }],
    });
    gateway.command(start);
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start)).toContain('then the notice');
  });

  it('stops an agent when told, and nothing of it is left', async () => {
    const start = startCommand('- say: working\n- sleep: 60000');
    gateway.command(start);
    await saying(start, 'working');
    const { taskId, attempt } = start;
    // A newer gateway's: what is not known here is passed over, and the connection stays.
    const newer = {
      reason: 'cancelled',
      graceMs: 600,
      whatever: { else: ['it', 'knows'] },
    } as const;
    gateway.command({ kind: 'task.stop', taskId, attempt, ...newer });
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'stopped', summary: 'cancelled' });
    expect(gateway.hellos).toHaveLength(1);
    const [agent] = daemon.ledger();
    expect(() => process.kill(Number(agent?.['pid']), 0)).toThrow();
  });

  it('calls off a start that has not come to its agent yet', async () => {
    gateway.levers.answer = () => undefined;
    const start = startCommand('- say: never');
    gateway.command(start);
    await gateway.until('the ask', () => gateway.asks.length > 0);
    const { taskId, attempt } = start;
    gateway.command({ kind: 'task.stop', taskId, attempt, reason: 'paused', graceMs: 0 });
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'stopped' });
    expect(daemon.ledger()).toEqual([]);
  });

  it('keeps a supervisor alive between turns until it is told to stop', async () => {
    const start = startCommand('- say: planned', { isSupervisor: true });
    gateway.command(start);
    await gateway.until('the turn', () => gateway.of('task.turn_ended')[0]);
    const { taskId, attempt } = start;
    const message = { id: randomUUID(), text: 'wake up', mode: 'queue' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    await gateway.until('another turn', () => gateway.of('task.turn_ended')[1]);
    await gateway.until('the receipt', () => receipts(message.id).includes('done'));
    expect(gateway.of('task.ended')).toEqual([]);
    gateway.command({ kind: 'task.stop', taskId, attempt, reason: 'completed', graceMs: 2000 });
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'stopped', summary: 'completed' });
  });

  it('lets a turn end before it stops, within its time', async () => {
    const steps = '- say: working\n- wait_message:\n  as: m\n- say: then ${m.text}';
    const leads = startCommand(steps, { isSupervisor: true });
    const works = startCommand(steps);
    const never = startCommand(steps);
    for (const start of [leads, works, never]) gateway.command(start);
    await Promise.all([leads, works, never].map((start) => saying(start, 'working')));
    const soon = { kind: 'task.stop', reason: 'paused', graceMs: 600, attempt: 1 } as const;
    for (const { taskId } of [leads, works])
      gateway.command({ ...soon, taskId, finishTurnMs: 600_000 });
    gateway.command({ ...soon, taskId: never.taskId, finishTurnMs: 200 });
    // The time of one is over; the others go on with their turns.
    expect(await gateway.ended(never)).toMatchObject({ outcome: 'stopped', summary: 'paused' });
    for (const { taskId } of [leads, works]) {
      const message = { id: randomUUID(), text: 'the end', mode: 'steer' } as const;
      gateway.command({ kind: 'task.message', taskId, attempt: 1, message });
    }
    expect(await gateway.ended(leads)).toMatchObject({ outcome: 'stopped' });
    expect(await gateway.ended(works)).toMatchObject({ outcome: 'done' });
    for (const start of [leads, works]) expect(said(start)).toContain('then the end');
    expect(gateway.of('task.turn_ended').filter((report) => same(report, leads))).toEqual([]);
  });

  it('stops at once who may end a turn and is in none', async () => {
    const start = startCommand('- say: planned', { isSupervisor: true });
    gateway.command(start);
    await gateway.until('the turn', () =>
      gateway.of('task.turn_ended').find((report) => same(report, start)),
    );
    const { taskId, attempt } = start;
    const stop = { kind: 'task.stop', taskId, attempt, reason: 'paused', graceMs: 600 } as const;
    gateway.command({ ...stop, finishTurnMs: 600_000 });
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'stopped' });
  });

  it('tells a failure, a crash and a start that failed apart', async () => {
    const failing = startCommand('- fail: no way');
    const crashing = startCommand('- say: bye\n- crash:');
    const unknown = startCommand('- say: x', { agent: 'nobody' });
    for (const start of [failing, crashing, unknown]) gateway.command(start);
    const [failed, crashed, refused] = await Promise.all([
      gateway.ended(failing),
      gateway.ended(crashing),
      gateway.ended(unknown),
    ]);
    expect(failed).toMatchObject({ outcome: 'failed' });
    expect(failed.error).toContain('no way');
    expect(crashed).toMatchObject({ outcome: 'crashed' });
    expect(refused).toMatchObject({ outcome: 'start_failed' });
    expect(refused.error).toContain('nobody');
  });

  it('ends an agent that meets a usage limit, says until when, and goes on in a next attempt', async () => {
    const start = startCommand('- limit:\n    resets_in_ms: 3600000\n- say: later');
    gateway.command(start);
    const ended = await gateway.ended(start);
    expect(ended).toMatchObject({ outcome: 'limited', limit: { window: 'scripted' } });
    const resetsInMs = Date.parse(ended.limit?.resetsAt ?? '') - Date.now();
    expect(resetsInMs).toBeGreaterThan(3_500_000);
    expect(gateway.of('task.turn_ended')).toEqual([]);
    expect(said(start)).not.toContain('later');
    const go = { id: randomUUID(), text: 'go on', mode: 'steer' } as const;
    const again = { ...start, attempt: 2, resumeSession: true, messages: [go] };
    gateway.command(again);
    expect((await gateway.ended(again)).outcome).toBe('done');
    expect(said(again)).toContain('later');
  });

  it('resumes a conversation from this machine, from the transcript, or says that it is lost', async () => {
    const steps = '- say: before\n- wait_message:\n  as: m\n- say: after ${m.text}';
    const first = startCommand(steps);
    gateway.command(first);
    await saying(first, 'before');
    const stop = { kind: 'task.stop', reason: 'paused', graceMs: 600 } as const;
    gateway.command({ ...stop, taskId: first.taskId, attempt: 1 });
    await gateway.ended(first);
    const message = { id: randomUUID(), text: 'the pause', mode: 'steer' } as const;
    const again = { ...first, attempt: 2, resumeSession: true, messages: [message] };
    gateway.command(again);
    expect((await gateway.ended(again)).outcome).toBe('done');
    expect(said(again)).toEqual(['after the pause']);

    const elsewhere = { ...again, taskId: randomUUID(), sessionId: randomUUID() };
    gateway.command(elsewhere);
    expect(await gateway.ended(elsewhere)).toMatchObject({
      outcome: 'start_failed',
      error: 'session lost',
    });

    const transcript = gateway
      .of('transcript.stored')
      .filter((report) => same(report, first))
      .flatMap((report) => report.lines);
    gateway.levers.answer = (ask) => {
      if (ask.kind === 'tool-key') return { key: `mk_tool_${'a'.repeat(60)}` };
      if (ask.kind !== 'transcript') throw new Error('not known');
      const lines = transcript.slice(ask.fromSeq - 1, ask.fromSeq + 1);
      const nextSeq = ask.fromSeq + 2 > transcript.length ? null : ask.fromSeq + 2;
      return { lines, nextSeq };
    };
    const { sessionId } = first;
    const moved = { ...elsewhere, sessionId, attempt: 3, hasTranscript: true };
    gateway.command(moved);
    expect((await gateway.ended(moved)).outcome).toBe('done');
    expect(said(moved)).toEqual(['after the pause']);
    expect(gateway.of('task.started').map((report) => report.resumedFrom)).toEqual([
      'new',
      'session',
      'transcript',
    ]);
  });

  it("tells the agent's own question, and hands the answer to it", async () => {
    const start = startCommand(
      '- question:\n    text: Which one?\n    choices: [red, blue]\n  as: a\n- say: chose ${a.response}',
    );
    gateway.command(start);
    const asked = await gateway.until('the question', () => gateway.of('agent.asked')[0]);
    expect(asked).toMatchObject({ question: 'Which one?', choices: ['red', 'blue'] });
    const { taskId, attempt } = start;
    const { requestId } = asked;
    const message = { id: randomUUID(), text: 'blue', mode: 'steer', requestId } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message });
    expect((await gateway.ended(start)).outcome).toBe('done');
    expect(said(start).join()).toContain('blue');
    expect(receipts(message.id)).toEqual(['done']);
  });

  it('lets no known secret into what it reports', async () => {
    const key = `mk_tool_${'0'.repeat(32)}_${'S'.repeat(38)}`;
    gateway.levers.answer = () => ({ key });
    const encoded = Buffer.from(`x=${key}`).toString('base64');
    const start = startCommand(
      `- say: key ${key} and ${encoded}\n- run: [sh, -c, 'echo token $MAKIMA_TOKEN']\n- done: ${key}`,
    );
    gateway.command(start);
    expect((await gateway.ended(start)).outcome).toBe('done');
    const everything = JSON.stringify(gateway.reports);
    expect(everything).not.toContain('S'.repeat(20));
    expect(everything).not.toContain(encoded.slice(8, 40));
    expect(everything).toContain('[redacted');
    expect(everything).not.toMatch(/token mkrun_/);
    expect(daemon.log()).not.toContain('S'.repeat(20));
  });
});
