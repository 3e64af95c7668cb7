/** Spans reach a collector with their parents, the context travels as text, and without an endpoint nothing is done. */
import { afterEach, expect, it } from 'vitest';
import { openOtlpReceiver } from './test-otlp.ts';
import { inSpan, isTraceparent, startSpan, startTracing, traceparent } from './tracing.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

it('joins what is caused by what, within a process and by text', async () => {
  const receiver = await openOtlpReceiver();
  const part = await startTracing({ service: 'test', endpoint: `${receiver.endpoint}/` });
  ends.push(() => receiver.close());
  let carried: string | undefined;
  await inSpan({ name: 'request', attributes: { kind: 'x' } }, async (span) => {
    expect(traceparent()).toBe(span.traceparent);
    span.rename('request of something');
    await inSpan({ name: 'job' }, async () => (carried = traceparent()));
  });
  expect(traceparent()).toBeUndefined();
  expect(isTraceparent(carried)).toBe(true);
  const far = startSpan({ name: 'far', parent: carried });
  far.end(new Error('secret'));
  far.end();
  startSpan({ name: 'alone', parent: 'nonsense' }).end();
  await expect(inSpan({ name: 'fails' }, () => Promise.reject(new Error('x')))).rejects.toThrow();
  await part.stop?.();
  const by = (name: string) => receiver.spans.find((span) => span.name === name);
  expect(receiver.spans).toHaveLength(5);
  const request = by('request of something');
  expect(request).toMatchObject({ service: 'makima-test', failed: false });
  expect(by('job')).toMatchObject({ traceId: request?.traceId, parentSpanId: request?.spanId });
  expect(by('far')).toMatchObject({
    traceId: request?.traceId,
    parentSpanId: by('job')?.spanId,
    failed: true,
  });
  expect(by('alone')?.traceId).not.toBe(request?.traceId);
  expect(by('fails')?.failed).toBe(true);
  expect(JSON.stringify(receiver.spans)).not.toContain('secret');
});

it('without an endpoint does the work, and hands on what caused it', async () => {
  const part = await startTracing({ service: 'test', endpoint: undefined });
  await part.stop?.();
  const parent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
  expect(await inSpan({ name: 'x', parent }, async () => traceparent())).toBe(parent);
  expect(await inSpan({ name: 'x' }, async () => traceparent())).toBeUndefined();
  expect(isTraceparent('00-00000000000000000000000000000000-0123456789abcdef-01')).toBe(false);
});

it('a collector that is away costs nothing but its spans', async () => {
  const part = await startTracing({ service: 'test', endpoint: 'http://127.0.0.1:1' });
  expect(await inSpan({ name: 'x' }, async () => 1)).toBe(1);
  await part.stop?.();
}, 20_000);
