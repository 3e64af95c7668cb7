// One trace from a request through job, command, agent and report, over five processes.
// Why: only a whole stack has all the places where the context of a trace may be lost.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOtlpReceiver, type OtlpReceiver } from '@makima/runtime/test-otlp';
import { startContract } from './contract.ts';
import { openHouse, type House } from './house.ts';

let receiver: OtlpReceiver;
let house: House;
beforeAll(async () => {
  receiver = await openOtlpReceiver();
  house = await openHouse({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } });
});
afterAll(async () => {
  await house.close();
  await receiver.close();
});

const wanted = [
  ['makima-api', 'POST /api/v1/contracts'],
  ['makima-scheduler', 'job spawn-task'],
  ['makima-gateway', 'command task.start'],
  ['makima-daemon', 'agent scripted'],
  ['makima-daemon', 'agent turn'],
  ['makima-gateway', 'report task.started'],
  ['makima-gateway', 'report task.ended'],
];

it('a contract is one trace from the request to the end of its agent', async () => {
  const { id, story } = await startContract(house, ['a word'], { name: 'traced' });
  await story.until('supervisor.state_changed', ({ data }) => data['to'] === 'idle');
  const body = { targetStatus: 'failed' as const, reason: 'enough' };
  await house.client.call('changeStatus', { params: { id }, body });
  const request = () => receiver.spans.find((span) => span.name === 'POST /api/v1/contracts');
  await receiver.until((spans) =>
    wanted.every(([service, name]) =>
      spans.some(
        (span) =>
          span.service === service && span.name === name && span.traceId === request()?.traceId,
      ),
    ),
  );
  // Every span of it has its parent in it.
  const trace = receiver.spans.filter((span) => span.traceId === request()?.traceId);
  const ids = new Set(trace.map((span) => span.spanId));
  const orphans = trace.filter((span) => span.parentSpanId && !ids.has(span.parentSpanId));
  expect(orphans.map((span) => span.name)).toEqual([]);
});
