/** Deliveries: what the handler gets, how often, and what its failures mean. */
import { MakimaError } from '@makima/domain/error';
import { describe, expect, it } from 'vitest';
import type { DeliveryOutcome } from './delivery.ts';
import { busReady, eventually, stateOf, testBus, testConsumer, ticket } from './test-bus.ts';
import type { Ticket } from './queues.ts';
import type { Metrics } from '@makima/runtime/metrics';

const queue = 'evaluate-contract';

async function outcomes(metrics: Metrics, outcome: DeliveryOutcome): Promise<number> {
  const text = await metrics.text();
  const line = new RegExp(
    `makima_job_deliveries_total\\{queue="${queue}",outcome="${outcome}",service="test"\\} (\\d+)`,
  );
  return Number(line.exec(text)?.[1] ?? 0);
}

describe('consume', () => {
  it('hands over the parsed payload and its context', async () => {
    const { bus, log, metrics } = await testBus();
    const consumer = testConsumer(bus, {
      handle: async ({ context }) => context.log.info('handled'),
    });
    await busReady(bus);
    const job = ticket();
    await bus.add([job]);
    const [delivered] = await consumer.seen(1);
    expect(delivered?.payload).toEqual(job.payload);
    expect(delivered?.context).toMatchObject({ jobId: job.jobId, attempt: 1 });
    expect(delivered?.context.signal.aborted).toBe(false);
    expect(await log.line('handled')).toMatchObject({ queue, jobId: job.jobId });
    await eventually(async () => (await stateOf(bus, queue, job.jobId)) === 'completed');
    expect(await outcomes(metrics, 'done')).toBe(1);
  });

  it('runs a ticket once however often it is added, and a requeued one again (M7)', async () => {
    const { bus } = await testBus();
    const consumer = testConsumer(bus);
    await busReady(bus);
    const first = ticket();
    const again = ticket(1, first.payload.contractId);
    await bus.add([first, first]);
    await eventually(async () => (await stateOf(bus, queue, first.jobId)) === 'completed');
    await bus.add([first]);
    await bus.add([again]);
    await eventually(async () => (await stateOf(bus, queue, again.jobId)) === 'completed');
    expect(consumer.deliveries.map((each) => each.context.jobId)).toEqual([
      first.jobId,
      again.jobId,
    ]);
  });

  it('tries an error again with a pause, and a final "no" never', async () => {
    const { bus, metrics } = await testBus();
    const flaky = ticket();
    const refused = ticket();
    const consumer = testConsumer(bus, {
      handle: async ({ context }) => {
        if (context.jobId === refused.jobId) throw new MakimaError('NOT_FOUND', 'no such contract');
        if (context.attempt === 1) {
          throw new MakimaError('DEPENDENCY_UNAVAILABLE', 'later', { retryable: true });
        }
        if (context.attempt === 2) throw new Error('mishap');
      },
    });
    await busReady(bus);
    await bus.add([flaky, refused]);
    await consumer.seen(4);
    await eventually(async () => (await stateOf(bus, queue, flaky.jobId)) === 'completed');
    expect(await stateOf(bus, queue, refused.jobId)).toBe('failed');
    const attempts = consumer.deliveries
      .filter((each) => each.context.jobId === flaky.jobId)
      .map((each) => each.context.attempt);
    expect(attempts).toEqual([1, 2, 3]);
    expect([await outcomes(metrics, 'retry'), await outcomes(metrics, 'set_aside')]).toEqual([
      2, 1,
    ]);
  });

  it('sets a payload aside that does not fit, without calling the handler', async () => {
    const { bus } = await testBus();
    const consumer = testConsumer(bus);
    await busReady(bus);
    const bad = { ...ticket(), payload: { v: 1, contractId: 'x' } } as unknown as Ticket;
    await bus.add([bad]);
    await eventually(async () => (await stateOf(bus, queue, bad.jobId)) === 'failed');
    const job = await bus.inner.queues.get(queue)?.getJob(bad.jobId);
    expect(job?.failedReason).toBe('payload does not fit: ownerId, contractId');
    expect(consumer.deliveries).toEqual([]);
  });

  it('leaves a payload of the future to newer workers for a while, then sets it aside (T47)', async () => {
    const { bus, metrics } = await testBus();
    const consumer = testConsumer(bus);
    await busReady(bus);
    const future = { ...ticket(), payload: { v: 99, news: true } } as unknown as Ticket;
    const usual = ticket();
    await bus.add([future, usual]);
    await consumer.seen(1);
    await eventually(async () => (await stateOf(bus, queue, future.jobId)) === 'failed');
    expect(await outcomes(metrics, 'redelayed')).toBe(2);
    expect(consumer.deliveries.map((each) => each.context.jobId)).toEqual([usual.jobId]);
  });

  it('ends a handler that takes too long and tries again', async () => {
    const { bus } = await testBus();
    const consumer = testConsumer(bus, {
      timings: { handlerMs: 30 },
      handle: ({ context }) =>
        context.attempt > 1
          ? Promise.resolve()
          : new Promise((_, reject) =>
              context.signal.addEventListener('abort', () => reject(context.signal.reason)),
            ),
    });
    await busReady(bus);
    const job = ticket();
    await bus.add([job]);
    const [first] = await consumer.seen(2);
    expect(first?.context.signal.aborted).toBe(true);
    await eventually(async () => (await stateOf(bus, queue, job.jobId)) === 'completed');
  });

  it('writes no credential of a failure to Redis', async () => {
    const { bus } = await testBus();
    const key = 'mk_user_0123456789abcdef0123456789abcdef_canaryCANARYcanary';
    testConsumer(bus, {
      handle: () => Promise.reject(new MakimaError('INTERNAL', `refused ${key}`)),
    });
    await busReady(bus);
    const job = ticket();
    await bus.add([job]);
    await eventually(async () => (await stateOf(bus, queue, job.jobId)) === 'failed');
    const failed = await bus.inner.queues.get(queue)?.getJob(job.jobId);
    expect(JSON.stringify(failed?.toJSON())).not.toContain('canary');
    expect(failed?.failedReason).toBe('INTERNAL: refused mk_user_[redacted]');
  });
});
