/** The monitor: filters, what was missed, slow readers, owners, keys, several processes; socket, stream and page alike. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { channels } from '@makima/contracts/channels';
import { monitorPath, zMonitorEvent } from '@makima/contracts/entity/monitor';
import { renewLeases } from '@makima/engine/daemon/beat';
import { keepHeartbeats } from '@makima/engine/supervisor/heartbeats';
import { createMetrics } from '@makima/runtime/metrics';
import { expositionFaults } from '@makima/runtime/test-exposition';
import { assembleApi } from '../assemble.ts';
import { eventsOf, monitor, openMonitor, refusedDial } from '../testing/monitor.ts';
import { open, startTestApi, type TestApi } from '../testing/test-api.ts';
import {
  ended,
  joinMachine,
  startedContract,
  strangerKey,
  type TestContract,
  type TestMachine,
} from '../testing/test-house.ts';

let api: TestApi;
let machine: TestMachine;
let one: TestContract;
let two: TestContract;
beforeAll(async () => {
  api = await startTestApi({
    limits: { monitorSocketsPerOwnerMax: 110 },
    settings: { monitorBufferSize: 50 },
    monitorTimes: { filterMs: 300, stuckMs: 500, idleMs: 300 },
  });
  machine = await joinMachine(api);
  one = await startedContract(api, machine);
  two = await startedContract(api, machine);
});
afterAll(() => api.stop());

const here = () => ({ port: api.port, key: api.ownerKey });

async function put(contract: TestContract, targetStatus: string): Promise<void> {
  const path = `/api/v1/contracts/${contract.detail.id}/status`;
  const body = { targetStatus, reason: 'test' };
  expect((await api.send('POST', path, { key: api.ownerKey, body })).status).toBe(200);
}
const changes = (told: readonly any[], id: string): string[] =>
  told
    .filter((each) => each.type === 'status_changed' && each.contract_id === id)
    .map((each) => each.new_status);

/** Facts as a verb would have written them, many at once. */
async function flood(contract: TestContract, count: number, bytes: number): Promise<void> {
  const { sql } = api.engine.database;
  const { id } = contract.detail;
  await sql`
    with raised as (update contract_cursors set seq = seq + ${count}, last_xid = pg_current_xact_id()
                     where contract_id = ${id} returning seq - ${count} as before)
    insert into events (owner_id, contract_id, seq, type, actor, data)
    select ${api.ownerId}, ${id}, before + n, 'question.asked', '{"kind":"system","id":null,"name":"test"}',
           jsonb_build_object('questionId', ${randomUUID()}::text, 'questionType', 'general', 'question', n || repeat('x', ${bytes}))
      from raised, generate_series(1, ${count}) n`;
  api.pubsubOfAnother.publish([{ channel: channels.ownerEvents(api.ownerId), body: '' }]);
}
const numbers = (told: readonly any[]): number[] =>
  eventsOf(told)
    .filter((each) => each.type === 'question_asked')
    .map((each) => Number.parseInt(each.question, 10));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('a monitor', () => {
  it('is told what happens, in the words of the seed', async () => {
    const watching = await monitor(here());
    const contract = await startedContract(api, machine, { phaseGuard: false });
    const { detail, supervisorTaskId, supervisorKey } = contract;
    const send = async (path: string, body: object, key = api.ownerKey) => {
      const answer = await api.send('POST', `/api/v1${path}`, { key, body });
      expect(answer.status, path).toBeLessThan(300);
      return answer.json;
    };
    const at = (rest: string) => `/contracts/${detail.id}${rest}`;
    const evidence = [{ kind: 'word', text: 'seen' }];
    await send(at('/deliverables/plan-document/complete'), { evidence });
    await send(at('/phase'), { phase: 'execute' });
    const spawn = { name: 'build', plan: 'p', contractId: detail.id };
    const task = await send('/mesh/supervisor/tasks', spawn, supervisorKey);
    await machine.assign();
    await machine.report(ended(task.id, 1, 'built'));
    const question = { question: 'Which?', choices: ['a', 'b'], nonBlocking: true };
    const asked = await send('/mesh/supervisor/questions', question, supervisorKey);
    await put(contract, 'paused');
    await put(contract, 'active');
    const told = await watching.until((all) => changes(all, detail.id).length === 3);
    const ofIt = eventsOf(told).filter((each) => each.contract_id === detail.id);
    for (const event of ofIt) expect(zMonitorEvent.parse(event)).toEqual(event);
    const words = [
      {
        type: 'supervisor_state_changed',
        supervisor_task_id: supervisorTaskId,
        new_state: 'working',
      },
      { type: 'deliverable_completed', phase: 'plan', deliverable_id: 'plan-document' },
      { type: 'phase_changed', old_phase: 'plan', new_phase: 'execute' },
      { type: 'task_completed', task_id: task.id, task_name: 'build', success: true },
      {
        type: 'question_asked',
        question_id: asked.questionId,
        question: 'Which?',
        question_type: 'general',
      },
      { type: 'status_changed', old_status: 'active', new_status: 'paused', reason: 'test' },
      { type: 'status_changed', old_status: 'paused', new_status: 'active', reason: 'test' },
    ];
    expect(ofIt).toEqual(
      expect.arrayContaining(words.map((word) => expect.objectContaining(word))),
    );
    await watching.close();
  });

  it('is told of its contracts and statuses only, and may wish otherwise', async () => {
    const [ofTwo, paused, all] = await Promise.all([
      monitor(here(), { contract_ids: [two.detail.id] }),
      monitor(here(), { statuses: ['paused'] }),
      monitor(here()),
    ]);
    await put(one, 'paused');
    await put(two, 'paused');
    await put(two, 'active');
    await all.until((told) => changes(told, two.detail.id).length === 2);
    await ofTwo.until((told) => changes(told, two.detail.id).length === 2);
    await paused.until((told) => changes(told, two.detail.id).length === 2);
    expect(new Set(eventsOf(ofTwo.told).map((each) => each.contract_id))).toEqual(
      new Set([two.detail.id]),
    );
    expect(changes(paused.told, one.detail.id)).toEqual(['paused']);
    // What follows the way back to work is none of a paused contract's.
    const last = eventsOf(paused.told).at(-1);
    expect(last).toMatchObject({ type: 'status_changed', old_status: 'paused' });
    ofTwo.socket.send(JSON.stringify({ contract_ids: [one.detail.id] }));
    ofTwo.socket.ping();
    await once(ofTwo.socket, 'pong');
    await put(one, 'active');
    await ofTwo.until((told) => changes(told, one.detail.id).includes('active'));
    await Promise.all([ofTwo.close(), paused.close(), all.close()]);
  });

  it('that was away is told what it missed, in order, and nothing twice', async () => {
    const first = await monitor(here());
    await put(one, 'paused');
    await first.until((told) => changes(told, one.detail.id).length === 1);
    await first.close();
    const { cursor } = first.told.findLast((each) => each.type === 'status_changed');
    await put(one, 'active');
    await flood(one, 700, 10);
    const second = await openMonitor(here(), { after: cursor });
    // While it still reads what it missed, more happens.
    await put(one, 'paused');
    await put(one, 'active');
    await second.until((told) => changes(told, one.detail.id).length === 3);
    expect(changes(second.told, one.detail.id)).toEqual(['active', 'paused', 'active']);
    expect(numbers(second.told)).toEqual(upTo(700));
    await second.close();
  });

  it('with a cursor of another history is told to read anew', async () => {
    const after = `${randomUUID()}.1.1`;
    const lost = await openMonitor(here(), { after });
    expect(await lost.closed).toMatchObject({ code: 4410 });
    expect(lost.told).toMatchObject([{ type: 'reload', code: 'VALIDATION_FAILED' }]);
  });

  it('is told to read anew when the store was restored to an earlier moment meanwhile', async () => {
    const watching = await monitor(here());
    const { sql } = api.engine.database;
    await sql`update meta set value = ${randomUUID()} where key = 'timeline'`;
    api.pubsubOfAnother.publish([{ channel: channels.ownerEvents(api.ownerId), body: '' }]);
    expect((await watching.closed).code).toBe(4410);
    expect(watching.told.at(-1)).toMatchObject({ type: 'reload' });
    const again = await monitor(here());
    await put(one, 'paused');
    await again.until((told) => changes(told, one.detail.id).includes('paused'));
    await put(one, 'active');
    await again.close();
  });

  it('that stops reading is cut, and holds nobody up; later it goes on where it was', async () => {
    const [stopped, lively] = await Promise.all([monitor(here()), monitor(here())]);
    const overflows = async (): Promise<number> =>
      Number(
        /makima_monitor_overflows_total\{[^}]*\} (\d+)/.exec(await api.api.metrics.text())?.[1],
      );
    const before = await overflows();
    stopped.socket.pause();
    await flood(two, 6_000, 4_000);
    // Looked at after each frame: counting all of them each time would be most of the work.
    const has = (count: number) => (told: readonly any[]) =>
      told.length >= count && numbers(told).length >= count;
    await lively.until(has(6_000));
    expect(numbers(lively.told)).toEqual(upTo(6_000));
    expect(await overflows()).toBeGreaterThanOrEqual(before);
    await expect
      .poll(async () => (await api.api.metrics.text()).includes('code="4408"'), { timeout: 10_000 })
      .toBe(true);
    stopped.socket.resume();
    await stopped.closed;
    const { cursor } = stopped.told.at(-1);
    const got = numbers(stopped.told).length;
    expect(got).toBeLessThan(6_000);
    const again = await openMonitor(here(), { after: cursor });
    await again.until(has(6_000 - got));
    expect([...numbers(stopped.told), ...numbers(again.told)]).toEqual(upTo(6_000));
    await Promise.all([lively.close(), again.close()]);
  });

  it('Many concurrent connections: a hundred monitors are told each event once, in order', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => monitor(here())));
    const wanted = ['paused', 'active', 'paused', 'active'];
    for (const status of wanted) await put(one, status);
    const four = (told: readonly any[]): boolean => changes(told, one.detail.id).length >= 4;
    await Promise.all(all.map((each) => each.until(four)));
    for (const each of all) expect(changes(each.told, one.detail.id)).toEqual(wanted);
    await Promise.all(all.map((each) => each.close()));
  });

  it('is told of signs of life when it asks for them', async () => {
    const [hearing, deaf] = await Promise.all([
      monitor(here(), { include_heartbeats: true, contract_ids: [one.detail.id] }),
      monitor(here()),
    ]);
    const { sql } = api.engine.database;
    const [row] = await sql<
      { attempt: number; epoch: number }[]
    >`select t.current_attempt as attempt, d.session_epoch as epoch from tasks t, daemons d
       where t.id = ${one.supervisorTaskId} and d.id = ${machine.principal.daemonId}`;
    await machine.assign();
    const beat = async (): Promise<void> => {
      const attempt = (
        await sql<{ attempt: number }[]>`
          select current_attempt as attempt from tasks where id = ${one.supervisorTaskId}`
      )[0]?.attempt;
      const running = [{ taskId: one.supervisorTaskId, attempt: attempt ?? 0 }];
      const given = { sessionEpoch: row?.epoch ?? 0, running, freeDiskBytes: null };
      const { renewed } = await renewLeases(api.engine, machine.principal, given);
      await sql`update supervisors set last_heartbeat_at = clock() - interval '1 minute' where task_id = ${one.supervisorTaskId}`;
      expect(await keepHeartbeats(api.engine, machine.principal, renewed)).toBe(1);
    };
    const beats = (told: readonly any[]) => told.filter((each) => each.type === 'heartbeat');
    await beat();
    await hearing.until((told) => beats(told).length === 1);
    await beat();
    await hearing.until((told) => beats(told).length === 2);
    // Two at once are told as one, and counted.
    const gathered = async () =>
      Number(
        /heartbeats_gathered_total\{[^}]*\} (\d+)/.exec(await api.api.metrics.text())?.[1] ?? 0,
      );
    const before = await gathered();
    await beat();
    await beat();
    await hearing.until((told) => beats(told).length >= 3);
    await expect
      .poll(async () => beats(hearing.told).length - 2 + (await gathered()) - before)
      .toBe(2);
    for (const event of beats(hearing.told)) expect(zMonitorEvent.parse(event)).toEqual(event);
    expect(beats(hearing.told)[0].contract_id).toBe(one.detail.id);
    await put(one, 'paused');
    await deaf.until((told) => changes(told, one.detail.id).length === 1);
    expect(beats(deaf.told)).toEqual([]);
    await put(one, 'active');
    await Promise.all([hearing.close(), deaf.close()]);
  });

  it('of another process is told the same', async () => {
    const { engine, log } = api;
    const other = assembleApi({
      config: {
        DATABASE_URL: 'postgres://x',
        HOST: '127.0.0.1',
        PORT: 0,
        MAKIMA_PUBLIC_URL: undefined,
        MAKIMA_ALLOWED_HOSTS: [],
      },
      version: '0',
      engine,
      bus: api.api.bus,
      pubsub: api.pubsubOfAnother,
      log,
      metrics: createMetrics({ service: 'api' }),
      isPrepared: () => true,
    });
    await other.server.start?.();
    const [near, far] = await Promise.all([
      monitor(here()),
      monitor({ port: other.server.port, key: api.ownerKey }),
    ]);
    for (const status of ['paused', 'active', 'paused', 'active']) await put(two, status);
    const four = (told: readonly any[]): boolean => changes(told, two.detail.id).length === 4;
    await Promise.all([near.until(four), far.until(four)]);
    expect(changes(far.told, two.detail.id)).toEqual(changes(near.told, two.detail.id));
    await near.close();
    await other.server.stop?.();
    expect(await far.closed).toMatchObject({ code: 4503 });
  });
});

describe('the door of monitors', () => {
  it('is closed to other owners’ events', async () => {
    const { key } = await strangerKey(api.engine);
    const [theirs, ours] = await Promise.all([
      monitor({ port: api.port, key }, { contract_ids: [one.detail.id] }),
      monitor(here()),
    ]);
    await put(one, 'paused');
    await put(one, 'active');
    await ours.until((told) => changes(told, one.detail.id).length === 2);
    expect(eventsOf(theirs.told)).toEqual([]);
    await Promise.all([theirs.close(), ours.close()]);
  });

  it('is judged as a request is', async () => {
    const { port } = api;
    expect(await refusedDial({ port })).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
    expect(await refusedDial({ port, key: one.supervisorKey })).toMatchObject({ status: 403 });
    expect(await refusedDial({ port, key: machine.key })).toMatchObject({ status: 403 });
    const cross = { origin: 'https://attacker.example' };
    expect(await refusedDial({ ...here(), headers: cross })).toMatchObject({ status: 403 });
    const misled = { host: 'attacker.example' };
    expect(await refusedDial({ ...here(), headers: misled })).toMatchObject({ status: 421 });
    const query = `${monitorPath}?statuses=active`;
    expect(await refusedDial({ ...here(), path: query })).toMatchObject({ status: 400 });
    expect(await refusedDial({ ...here(), path: '/api/v1/other' })).toMatchObject({ status: 404 });
  });

  it('wants a filter first, and one that fits', async () => {
    expect(await (await openMonitor(here(), '{"what":1}')).closed).toMatchObject({ code: 4400 });
    expect(await (await openMonitor(here(), 'x')).closed).toMatchObject({ code: 4400 });
    const late = await monitor(here());
    late.socket.send('{"after":"now"}');
    expect(await late.closed).toMatchObject({ code: 4400 });
  });

  it('closes with its key', async () => {
    const made = await api.send('POST', '/api/v1/keys', {
      key: api.ownerKey,
      body: { name: 'watcher', scopes: ['read'] },
    });
    const watching = await monitor({ port: api.port, key: made.json.key });
    await api.send('DELETE', `/api/v1/keys/${made.json.info.id}`, { key: api.ownerKey });
    expect(await watching.closed).toMatchObject({ code: 4401 });
  });
});

describe('by HTTP', () => {
  it('the same events come as a stream, and go on after the last id', async () => {
    const listen = (headers: Record<string, string> = {}) =>
      open(api.port, 'GET', `${monitorPath}?contract_ids=${one.detail.id}&statuses=paused`, {
        key: api.ownerKey,
        headers: { accept: 'text/event-stream', ...headers },
      });
    const first = await listen();
    const until = async (stream: AsyncIterable<unknown>, sign: string): Promise<string> => {
      let text = '';
      for await (const part of stream) {
        text += String(part);
        if (text.includes(sign)) return text;
      }
      throw new Error(`ended without ${sign}`);
    };
    const ready = await until(first, 'event: ready');
    const id = /id: (.*)\nevent: ready/.exec(ready)?.[1] ?? '';
    await put(one, 'paused');
    await put(one, 'active');
    const second = await listen({ 'last-event-id': id });
    const text = await until(second, '"new_status":"active"');
    expect(text.match(/event: status_changed/g)).toHaveLength(2);
    second.destroy();
    const bad = await listen({ 'last-event-id': 'x' });
    expect(bad.statusCode).toBe(400);
    bad.destroy();
  });

  it('the same events come by page', async () => {
    const from = (await api.send('GET', monitorPath, { key: api.ownerKey })).json;
    expect(from).toMatchObject({ items: [], nextCursor: null });
    await put(two, 'paused');
    await put(two, 'active');
    const page = (query: string) =>
      api.send('GET', `${monitorPath}?after=${from.cursor}${query}`, { key: api.ownerKey });
    const { json } = await page('&include_stale=false');
    expect(changes(json.items, two.detail.id)).toEqual(['paused', 'active']);
    expect((await page('&statuses=archived')).json.items).toEqual([]);
    expect((await page('&statuses=nothing')).status).toBe(400);
  });
});

it('metrics of all this are as Prometheus takes them', async () => {
  expect(expositionFaults(await api.api.metrics.text())).toEqual([]);
});
