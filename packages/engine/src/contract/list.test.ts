/** The list in the order of attention: over all pages, each once, and by the word that every surface shows. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attentionRank, attentions } from '@makima/domain/attention-rank';
import { contractStatuses } from '@makima/domain/contract';
import { listContracts, type ContractListInput } from './list.ts';
import { getContract } from './get.ts';
import { by, newContract, openTestEngine, refusal, type TestEngine } from '../test-engine.ts';
import { askQuestion } from '../question/ask.ts';
import { zAskInput } from '@makima/contracts/entity/question';
import { stage } from '../test-stage.ts';
import { TestDaemon } from '../test-daemon.ts';

let t: TestEngine;
beforeAll(async () => {
  t = await openTestEngine();
  await makeHouse();
});
afterAll(() => t.close());

/** Every status beside every session of a supervisor, work, question and silence that there may be. */
async function makeHouse(): Promise<void> {
  const { sql } = t.database;
  const daemon = await TestDaemon.join(t, { slots: 100 });
  const { id: like } = (await stage(t, { daemon })).contract;
  const asking = await stage(t, { daemon });
  await askQuestion(t.engine, by(asking.supervisor), zAskInput.parse({ question: 'Which?' }));
  await newContract(t, { name: 'not begun', start: false });
  // Rows as verbs may leave them, with no trigger to lead them there.
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`
      create temp table house on commit drop as
      select gen_random_uuid() as id, gen_random_uuid() as lead, row_number() over () as n, *
        from unnest(${[...contractStatuses]}::text[]) status,
             unnest(${['none', 'live', 'parked', 'limited']}::text[]) session,
             unnest(${['running', 'pending', 'limited']}::text[]) task,
             unnest(array[0, 3600]) silent, unnest(array[false, true]) asks`;
    await tx`
      insert into contracts (id, owner_id, slug, name, description, contract_type, phase, guarded_phases, status,
                             waiting_for, blocked_reason, failure_reason, agent, supervisor_task_id)
      select h.id, c.owner_id, 'h-' || h.n, 'h', 'h', c.contract_type, c.phase, '{}', h.status,
             case when h.status = 'waiting_for_input' then 'question' end,
             case when h.status = 'blocked' then 'x' end, case when h.status = 'failed' then 'x' end, 'scripted', h.lead
        from house h, contracts c where c.id = ${like}`;
    await tx`
      insert into contract_activity (contract_id, owner_id, last_progress_at)
      select id, ${t.owner.ownerId}::uuid, clock() - make_interval(secs => silent) from house`;
    await tx`
      insert into tasks (id, owner_id, contract_id, name, plan, agent, status, session, is_supervisor)
      select lead, ${t.owner.ownerId}::uuid, id, 'lead', 'x', 'scripted', case when session = 'live' then 'running' else 'paused' end,
             session, true from house
       union all
      select gen_random_uuid(), ${t.owner.ownerId}::uuid, id, 'work', 'x', 'scripted',
             case task when 'limited' then 'paused' when 'pending' then 'done' else task end,
             case task when 'limited' then 'limited' when 'running' then 'live' else 'none' end, false from house`;
    await tx`
      insert into supervisors (task_id, owner_id, contract_id, state, epoch)
      select lead, ${t.owner.ownerId}::uuid, id, case when n % 2 = 0 then 'idle' else 'working' end, 0 from house`;
    await tx`
      insert into questions (owner_id, contract_id, task_id, question, asked_epoch)
      select ${t.owner.ownerId}::uuid, id, lead, 'x', 0 from house where asks`;
  });
}

async function pages(input: Partial<ContractListInput>) {
  const items = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await listContracts(t.engine, t.owner, { limit: 40, ...input, after });
    items.push(...page.items);
    after = page.nextCursor ?? undefined;
    more = after !== undefined;
  }
  return items;
}

it('is in order over all pages, shows each once, and ranks by the word that it shows', async () => {
  const items = await pages({});
  const [all] = await t.database.sql`select count(*)::int as n from contracts`;
  expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
  expect(items).toHaveLength(Number(all?.['n']));
  const words = items.map(({ attention }) => attention);
  expect(words).toEqual(words.toSorted((a, b) => attentionRank(a) - attentionRank(b)));
  expect([...new Set(words)]).toEqual(attentions);
  for (const attention of attentions) {
    const ids = items.filter((item) => item.attention === attention).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
  }
  const [first] = items;
  expect(await getContract(t.engine, t.owner, { id: first?.id ?? '' })).toMatchObject({
    attention: first?.attention,
  });
});

it('is filtered in the same order, and takes no cursor but its own', async () => {
  const paused = await pages({ status: ['paused'], limit: 7 });
  expect(new Set(paused.map(({ attention }) => attention))).toEqual(
    new Set(['needs_you', 'paused']),
  );
  expect(paused).toHaveLength(48);
  const stale = await pages({ stale: true, limit: 7 });
  expect(stale.length).toBeGreaterThan(7);
  expect(stale.every(({ status }) => status === 'active')).toBe(true);
  expect(await pages({ stale: true, staleMinutes: 120 })).toEqual([]);
  for (const after of ['x', `needs_you.${'1'.repeat(8)}`, `nobody.${crypto.randomUUID()}`])
    expect((await refusal(listContracts(t.engine, t.owner, { limit: 5, after }))).code).toBe(
      'VALIDATION_FAILED',
    );
});
