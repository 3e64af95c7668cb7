/** One registry per process; the same metric asked for twice is one metric; a bad collector spoils nothing. */
import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { expositionFaults } from './test-exposition.ts';

describe('createMetrics', () => {
  it('answers the same metric twice and keeps registries apart', async () => {
    const [one, two] = [createMetrics({ service: 'one' }), createMetrics({ service: 'two' })];
    const spec = { name: 'makima_x_total', help: 'X.', labels: ['queue'] } as const;
    one.counter(spec).inc({ queue: 'a' });
    one.counter(spec).inc({ queue: 'a' });
    expect(await one.text()).toContain('makima_x_total{queue="a",service="one"} 2');
    expect(await two.text()).not.toContain('makima_x_total');
  });

  it('tells what Prometheus takes, and names nothing as it may not be named', async () => {
    const metrics = createMetrics({ service: 'one' });
    metrics.gauge({ name: 'makima_things_count', help: 'T.', untyped: true }).set(2);
    metrics
      .histogram({ name: 'makima_held_seconds', help: 'H.', labels: ['route'] })
      .observe({ route: '"\\n' }, 1);
    expect(expositionFaults(await metrics.text())).toEqual([]);
    const faults = (text: string): number => expositionFaults(text).length;
    expect(faults('# HELP a_total A.\n# TYPE a_total counter\na_total 1\n')).toBe(0);
    expect(faults('# HELP a A.\n# TYPE a counter\na 1\n')).toBe(1);
    expect(faults('# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n')).toBe(1);
    expect(faults('# TYPE a gauge\na 1\na 2\n')).toBe(2);
    expect(faults('# HELP a A.\n# TYPE a gauge\na{x="y} 1')).toBe(2);
  });

  it('counts what is counted elsewhere', async () => {
    const metrics = createMetrics({ service: 'one' });
    let n = 3;
    metrics.counter({
      name: 'makima_seen_total',
      help: 'S.',
      collect: (counter) => {
        counter.reset();
        counter.inc(n);
      },
    });
    expect(await metrics.text()).toContain('makima_seen_total{service="one"} 3');
    n = 4;
    expect(await metrics.text()).toContain('makima_seen_total{service="one"} 4');
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
