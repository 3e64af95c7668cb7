/**
 * Metrics of a process: one registry of its own (no global state), with builders that answer the same
 * metric when asked twice, so that a part can be built more than once in a process.
 *
 * Law: labels are closed words (queue, outcome, route), never ids, names of tenants or texts.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

interface MetricSpec<L extends string> {
  /** `makima_<what>_<unit>`, counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface CounterSpec<L extends string> extends MetricSpec<L> {
  /**
   * What is counted elsewhere, read at scrape time: `reset` it and add. Errors leave the last values standing.
   */
  readonly collect?: (counter: Counter<L>) => Promise<void> | void;
}

export interface GaugeSpec<L extends string> extends MetricSpec<L> {
  /** Its name ends as that of a histogram's part may only: it is told without a type. */
  readonly untyped?: true;
  /** Read the values at scrape time; called with the gauge to set. Errors leave the last values standing. */
  readonly collect?: (gauge: Gauge<L>) => Promise<void> | void;
}

export interface HistogramSpec<L extends string> extends MetricSpec<L> {
  /** Upper bounds in the unit of the name; default: 1 ms to 10 s, for names in seconds. */
  readonly buckets?: readonly number[];
}

export interface Metrics {
  counter<L extends string = never>(spec: CounterSpec<L>): Counter<L>;
  gauge<L extends string = never>(spec: GaugeSpec<L>): Gauge<L>;
  histogram<L extends string = never>(spec: HistogramSpec<L>): Histogram<L>;
  /** The exposition text, for `/metrics`. */
  text(): Promise<string>;
  readonly contentType: string;
}

export const latencyBucketsSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** A fresh registry whose every sample carries `service`; with the figures of Node itself. */
export function createMetrics(options: { readonly service: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  collectDefaultMetrics({ register: registry });
  // Gauges with the names of counters.
  for (const name of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${name}_total`);
  const untyped = new Set<string>();

  const known = <M>(name: string, build: () => M): M =>
    (registry.getSingleMetric(name) as M | undefined) ?? build();

  return {
    counter: (spec) => known(spec.name, () => newCounter(spec, registry)),
    gauge: (spec) => {
      if (spec.untyped === true) untyped.add(spec.name);
      return known(spec.name, () => newGauge(spec, registry));
    },
    histogram: (spec) =>
      known(
        spec.name,
        () =>
          new Histogram({
            ...base(spec),
            buckets: [...(spec.buckets ?? latencyBucketsSeconds)],
            registers: [registry],
          }),
      ),
    async text() {
      let text = await registry.metrics();
      for (const name of untyped)
        text = text.replace(`# TYPE ${name} gauge\n`, `# TYPE ${name} untyped\n`);
      return text;
    },
    contentType: registry.contentType,
  };
}

function base<L extends string>(spec: MetricSpec<L>) {
  return { name: spec.name, help: spec.help, labelNames: [...(spec.labels ?? [])] };
}

function newCounter<L extends string>(spec: CounterSpec<L>, registry: Registry): Counter<L> {
  const { collect } = spec;
  const counter: Counter<L> = new Counter<L>({
    ...base(spec),
    registers: [registry],
    ...(collect && {
      collect: async () => {
        try {
          await collect(counter);
        } catch {
          return;
        }
      },
    }),
  });
  return counter;
}

function newGauge<L extends string>(spec: GaugeSpec<L>, registry: Registry): Gauge<L> {
  const { collect } = spec;
  const gauge: Gauge<L> = new Gauge<L>({
    ...base(spec),
    registers: [registry],
    ...(collect && {
      // One store that does not answer must not take the whole scrape down.
      collect: async () => {
        try {
          await collect(gauge);
        } catch {
          return;
        }
      },
    }),
  });
  return gauge;
}
