/** Liveness is the loop, readiness is what is needed, both over a real socket. */
import { afterEach, describe, expect, it } from 'vitest';
import { createHealth, type Health, type HealthReport } from './health.ts';
import { createHealthServer, type HealthServer } from './health-server.ts';
import { createMetrics } from './metrics.ts';
import { testLog } from './test-log.ts';

const servers: HealthServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop?.();
});

async function serve(health: Health) {
  const log = testLog();
  const metrics = createMetrics({ service: 'test' });
  metrics.counter({ name: 'makima_test_total', help: 'Tests.' }).inc();
  const server = createHealthServer({ health, metrics, log, port: 0 });
  servers.push(server);
  await server.start?.();
  const line = await log.line('health listening');
  expect(line['port']).toBe(server.port);
  return (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

describe('health', () => {
  it('is alive, and ready when every check passes', async () => {
    const get = await serve(createHealth({ checks: [{ name: 'store', check: () => 'fine' }] }));
    expect((await get('/livez')).status).toBe(200);
    const ready = await get('/readyz');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ ok: true, checks: { store: { ok: true } } });
  });

  it('names what is missing, in a second, without its secrets', async () => {
    const refused = Object.assign(new Error('connect postgres://u:pw@h'), { code: 'ECONNREFUSED' });
    const health = createHealth({
      checks: [
        { name: 'away', check: () => Promise.reject(refused) },
        { name: 'hangs', check: () => new Promise(() => {}) },
        { name: 'fine', check: () => true },
      ],
    });
    const get = await serve(health);
    const answer = await get('/readyz');
    const body = (await answer.json()) as HealthReport;
    expect(answer.status).toBe(503);
    expect(body.checks).toMatchObject({
      away: { ok: false, error: 'ECONNREFUSED' },
      hangs: { ok: false, error: 'timed out' },
      fine: { ok: true },
    });
    expect((await get('/livez')).status).toBe(200);
  });

  it('is not ready while it drains', async () => {
    const health = createHealth({ checks: [] });
    health.drain();
    expect(await health.readyz()).toMatchObject({ ok: false, checks: { draining: { ok: false } } });
  });

  it('measures a stall of the event loop', () => {
    const health = createHealth({ checks: [] });
    health.start();
    health.start();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    expect(health.loopLagMs()).toBeGreaterThan(150);
    expect(health.livez().ok).toBe(true);
    health.stop();
  });
});

describe('health server', () => {
  it('serves metrics and nothing else, to GET and HEAD only; stops twice', async () => {
    const get = await serve(createHealth({ checks: [] }));
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toContain('makima_test_total{service="test"} 1');
    expect(metrics).toContain('nodejs_eventloop_lag_seconds');
    expect((await get('/livez?x=1', { method: 'HEAD' })).status).toBe(200);
    expect((await get('/livez', { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await get('/../etc/passwd')).status).toBe(404);
    const [server] = servers;
    await server?.stop?.();
    await server?.stop?.();
  });
});
