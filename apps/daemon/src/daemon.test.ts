import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDaemon, startCommand, type TestDaemon } from './test/daemon-process.ts';
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

  it('starts an agent, tells what it says, and its end', async () => {
    const start = startCommand('- say: hello\n- say: world\n- done: all said');
    gateway.command(start);
    const ended = await gateway.ended(start);
    expect(ended).toMatchObject({ outcome: 'done', error: null, exitCode: 0 });
    expect(ended.summary).toContain('all said');
    const said = gateway.lines(start).filter((line) => line.messageType === 'assistant');
    expect(said.map((line) => line.content)).toEqual(expect.arrayContaining(['hello', 'world']));
    expect(gateway.of('task.started')).toMatchObject([
      { taskId: start.taskId, resumedFrom: 'new' },
    ]);
    expect(gateway.faults).toEqual([]);
    expect(daemon.ledger().filter((line) => line['event'] === 'start')).toHaveLength(1);
  });
});
