/** Asks find the gateway that listens, and their failures are told soon and in words. */
import { describe, expect, it } from 'vitest';
import { askDaemon, answerAsks } from './ask.ts';
import { openPubSub } from './pubsub.ts';
import { busReady, onEnd, testBus } from './test-bus.ts';

const daemonId = '0196f2a0-5c4e-7c1a-9d55-2f0a6b1c7e10';
const ask = { kind: 'read-file', taskId: daemonId, filePath: 'a.txt' } as const;

async function hub(url?: string) {
  const { bus } = await testBus(url === undefined ? {} : { url });
  await busReady(bus);
  const pubsub = openPubSub(bus);
  onEnd(() => pubsub.close());
  return { bus, pubsub };
}

describe('asking a daemon', () => {
  it('brings back what the gateway of that daemon answers, also a megabyte', async () => {
    const asker = await hub();
    const gateway = await hub(asker.bus.inner.url);
    const content = 'x'.repeat(1_000_000);
    const asked: unknown[] = [];
    await answerAsks(gateway, {
      daemonId,
      answer: async (question) => {
        asked.push(question);
        return { content, exists: true, refused: null };
      },
    });
    const answer = await askDaemon(asker, ask, { daemonId });
    expect(answer).toEqual({ content, exists: true, refused: null });
    expect(asked).toEqual([ask]);
  });

  it('is answered once when two gateways believe to hold the daemon', async () => {
    const asker = await hub();
    let answers = 0;
    for (let i = 0; i < 2; i++) {
      await answerAsks(await hub(asker.bus.inner.url), {
        daemonId,
        answer: async () => {
          answers += 1;
          return { content: '', exists: false, refused: null };
        },
      });
    }
    await askDaemon(asker, ask, { daemonId });
    expect(answers).toBe(1);
  });

  it('knows at once that nobody listens, and soon that somebody is silent', async () => {
    const asker = await hub();
    await expect(askDaemon(asker, ask, { daemonId })).rejects.toMatchObject({ code: 'NO_DAEMON' });
    await answerAsks(asker, { daemonId, answer: () => new Promise(() => undefined) });
    await expect(askDaemon(asker, ask, { daemonId, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'NO_DAEMON',
      message: expect.stringContaining('did not answer'),
    });
  });

  it('tells a refusal in its words and a wrong shape as such', async () => {
    const asker = await hub();
    const stop = await answerAsks(asker, {
      daemonId,
      answer: () => Promise.reject(new Error('/home/secret')),
    });
    const refused = await askDaemon(asker, ask, { daemonId }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'DAEMON_ERROR',
      message: 'the machine could not answer',
    });
    stop();
    await answerAsks(asker, { daemonId, answer: async () => ({ content: 1 }) });
    await expect(askDaemon(asker, ask, { daemonId })).rejects.toMatchObject({
      code: 'DAEMON_ERROR',
    });
  });
});
