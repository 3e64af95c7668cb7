/** One registry per process; the same metric asked for twice is one metric; a bad collector spoils nothing. */
import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('createMetrics', () => {
  it('answers the same metric twice and keeps registries apart', async () => {
    const [one, two] = [createMetrics({ service: 'one' }), createMetrics({ service: 'two' })];
    const spec = { name: 'makima_x_total', help: 'X.', labels: ['queue'] } as const;
    one.counter(spec).inc({ queue: 'a' });
    one.counter(spec).inc({ queue: 'a' });
    expect(await one.text()).toContain('makima_x_total{queue="a",service="one"} 2');
    expect(await two.text()).not.toContain('makima_x_total');
  });

  it('reads gauges at scrape time and survives a collector that throws', async () => {
    const metrics = createMetrics({ service: 'one' });
    let level = 1;
    metrics.gauge({ name: 'makima_level', help: 'L.', collect: (gauge) => gauge.set(level) });
    metrics.gauge({
      name: 'makima_broken',
      help: 'B.',
      collect: () => Promise.reject(new Error('store away')),
    });
    metrics.histogram({ name: 'makima_h_seconds', help: 'H.' }).observe(0.003);
    level = 5;
    const text = await metrics.text();
    expect(text).toContain('makima_level{service="one"} 5');
    expect(text).toContain('makima_h_seconds_bucket{le="0.005",service="one"} 1');
  });
});
