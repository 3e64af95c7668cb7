/** The board shows every queue under its base path and changes nothing unless told so. */
import { jobNames } from '@makima/contracts/jobs';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { createBoard } from './board.ts';
import type { Bus } from './queues.ts';
import { queueHealth, registerQueueMetrics } from './queue-health.ts';
import { busReady, eventually, stateOf, testBus, testConsumer, ticket } from './test-bus.ts';

const basePath = '/admin/queues';

function mounted(bus: Bus, mode?: 'look' | 'act') {
  const app = new Hono();
  app.route(basePath, createBoard(bus, { basePath, ...(mode && { mode }) }));
  return (path: string, init?: RequestInit) => app.request(`${basePath}${path}`, init);
}

async function failedJob(bus: Bus): Promise<string> {
  testConsumer(bus, { handle: () => Promise.reject(new Error('always')) });
  const bad = { ...ticket(), payload: { v: 1 } } as never as ReturnType<typeof ticket>;
  await bus.add([bad]);
  await eventually(async () => (await stateOf(bus, 'evaluate-contract', bad.jobId)) === 'failed');
  return bad.jobId;
}

describe('board', () => {
  it('serves its page, its assets and every queue of the catalog', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const get = mounted(bus);
    const page = await get('');
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(html).toContain(basePath);
    const asset = /(?:src|href)="(?:\/admin\/queues\/)?(static\/[^"]+\.js)"/.exec(html)?.[1];
    expect((await get(`/${asset}`)).status).toBe(200);
    expect(html).not.toMatch(/(?:src|href)="https?:/);
    const { queues } = (await (await get('/api/queues')).json()) as { queues: { name: string }[] };
    expect(queues.map((queue) => queue.name)).toEqual(jobNames.map((name) => `mk1-${name}`));
  });

  it('only looks by default, acts when told so', async () => {
    const { bus } = await testBus();
    await busReady(bus);
    const id = await failedJob(bus);
    const retry = `/api/queues/mk1-evaluate-contract/${id}/retry`;
    const look = mounted(bus);
    for (const [method, path] of [
      ['PUT', retry],
      ['PUT', '/api/queues/mk1-evaluate-contract/pause'],
      ['PUT', '/api/queues/pause'],
      ['POST', '/api/queues/mk1-evaluate-contract/add'],
      ['POST', '/api/metrics/history/purge'],
    ] as const) {
      expect([path, (await look(path, { method })).status]).toEqual([path, 405]);
    }
    expect((await mounted(bus, 'act')(retry, { method: 'PUT' })).status).toBe(204);
  });
});

describe('queueHealth', () => {
  it('counts jobs and not canaries, and knows how long the oldest waits', async () => {
    const { bus, metrics } = await testBus();
    await busReady(bus);
    await bus.inner.queues.get('evaluate-contract')?.add('canary', {}, { jobId: 'canary_x' });
    await bus.add([ticket(), ticket()]);
    const health = await queueHealth(bus);
    expect(health.map((each) => each.queue)).toEqual(jobNames);
    const each = health.find((one) => one.queue === 'evaluate-contract');
    expect(each).toMatchObject({ waiting: 2, active: 0, delayed: 0, failed: 0, paused: false });
    expect(each?.oldestWaitingMs).toBeGreaterThanOrEqual(0);
    expect(health.find((one) => one.queue === 'spawn-task')?.oldestWaitingMs).toBeNull();
    registerQueueMetrics(bus);
    expect(await metrics.text()).toContain(
      'makima_queue_jobs{queue="evaluate-contract",state="waiting",service="test"} 2',
    );
  });
});
