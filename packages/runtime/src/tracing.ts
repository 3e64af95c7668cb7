/**
 * Traces by OpenTelemetry: spans of this process, and the context that joins them to those of others, as W3C
 * `traceparent` in jobs, commands and reports.
 *
 * Why: a request becomes a job, a command, an agent's run and a report in four processes; one trace shows it.
 * Law: nothing of OpenTelemetry is loaded unless an endpoint is set; without one a span costs a look at a
 * variable. A span carries ids and words of ours, never text of people or agents. A collector that is away
 * costs its spans and nothing else.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span as OtelSpan, Tracer } from '@opentelemetry/api';
import type { Part } from './lifecycle.ts';

export interface SpanSpec {
  readonly name: string;
  /** `traceparent` of what caused it; else the span around it. */
  readonly parent?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

export interface Span {
  /** What hands this span on as a parent; undefined where nobody traces. */
  readonly traceparent: string | undefined;
  rename(name: string): void;
  /** Twice is fine. */
  end(error?: unknown): void;
}

interface Tracing {
  readonly tracer: Tracer;
  readonly contextOf: (parent: string | undefined) => Context;
}

let tracing: Tracing | undefined;
const around = new AsyncLocalStorage<string>();

/** The context to hand on from here; undefined where nobody traces. */
export function traceparent(): string | undefined {
  return around.getStore();
}

/** A span around this work; what it starts becomes its children. */
export function inSpan<T>(spec: SpanSpec, work: (span: Span) => Promise<T>): Promise<T> {
  const span = startSpan(spec);
  if (span.traceparent === undefined) return work(span);
  return around.run(span.traceparent, async () => {
    try {
      const result = await work(span);
      span.end();
      return result;
    } catch (error) {
      span.end(error);
      throw error;
    }
  });
}

/** A span that somebody else ends. */
export function startSpan(spec: SpanSpec): Span {
  const parent = isTraceparent(spec.parent) ? spec.parent : traceparent();
  // Where this process does not trace, what caused it is still handed on.
  if (tracing === undefined)
    return { traceparent: parent, rename: () => undefined, end: () => undefined };
  const { tracer, contextOf } = tracing;
  const attributes = { ...spec.attributes };
  const span = tracer.startSpan(spec.name, { attributes }, contextOf(parent));
  let ended = false;
  return {
    traceparent: traceparentOf(span),
    rename: (name) => void span.updateName(name),
    end(error) {
      if (ended) return;
      ended = true;
      // 2 is an error in OpenTelemetry; its message may hold what people wrote.
      if (error !== undefined) span.setStatus({ code: 2 });
      span.end();
    },
  };
}

const shape = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export function isTraceparent(text: string | undefined): text is string {
  return text !== undefined && shape.test(text) && !/^00-0{32}|-0{16}-/.test(text);
}

function traceparentOf(span: OtelSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Sends spans to this OTLP/HTTP endpoint; without one, nothing is traced. Stopping sends what is left. */
export async function startTracing(options: {
  readonly service: string;
  readonly endpoint: string | undefined;
}): Promise<Part> {
  if (options.endpoint === undefined) return { name: 'tracing' };
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: 2_000 });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `makima-${options.service}` }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000 })],
  });
  tracing = {
    tracer: provider.getTracer('makima'),
    contextOf(parent) {
      if (parent === undefined) return api.ROOT_CONTEXT;
      const [, traceId = '', spanId = '', flags = '00'] = parent.split('-');
      const traceFlags = Number.parseInt(flags, 16);
      return api.trace.setSpanContext(api.ROOT_CONTEXT, {
        traceId,
        spanId,
        traceFlags,
        isRemote: true,
      });
    },
  };
  return {
    name: 'tracing',
    async stop() {
      tracing = undefined;
      await provider.shutdown().catch(() => undefined);
    },
  };
}
