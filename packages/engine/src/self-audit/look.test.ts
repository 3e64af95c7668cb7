/**
 * The self-audit: for each kind the rows are broken by hand, found as one incident, told once, put right where
 * the verbs can, and closed once.
 */
import { zAskInput } from '@makima/contracts/entity/question';
import type { Sql } from '@makima/db/client';
import { brokenRows } from '@makima/db/repo/invariants';
import { invariantKinds, invariants, type InvariantKind } from '@makima/domain/invariant';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeDeliverable } from '../contract/complete-deliverable.ts';
import { askQuestion } from '../question/ask.ts';
import { inbox } from '../question/inbox.ts';
import { by, eventsOf, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { TestDaemon } from '../test-daemon.ts';
import { done, running, spawned, stage, type Stage } from '../test-stage.ts';
import { auditInvariants } from './look.ts';

let t: TestEngine;
let daemon: TestDaemon;
let sql: Sql;
beforeAll(async () => {
  t = await openTestEngine();
  ({ sql } = t.database);
  daemon = await TestDaemon.join(t, { slots: 200 });
});
afterAll(() => t.close());

interface Scene extends Stage {
  readonly contractId: string;
}

interface Case {
  /** Makes the rows wrong. */
  readonly breaks: (scene: Scene) => Promise<unknown>;
  /** What is so when it was put right by itself. */
  readonly healed?: (scene: Scene) => Promise<unknown>;
  /** Puts it right by hand, where nothing else does. */
  readonly mend?: (scene: Scene) => Promise<unknown>;
}

/** As no statement of ours could: no trigger, no foreign key. */
const byForce = (work: (tx: Sql) => Promise<unknown>) =>
  sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await work(tx as never);
  });
const minutesAgo = 2;
const past = () => sql`clock() - make_interval(mins => ${minutesAgo})`;
const statusOf = async (table: 'tasks' | 'contracts', id: string): Promise<string | undefined> =>
  (await sql<{ status: string }[]>`select status from ${sql(table)} where id = ${id}`)[0]?.status;
const endAttempt = (id: string, state: string) =>
  sql`update task_attempts set state = ${state}, ended_at = ${past()} where task_id = ${id}`;
const stateOfWait = async ({ contractId }: Scene): Promise<string | undefined> =>
  (await sql<{ state: string }[]>`select state from waits where contract_id = ${contractId}`)[0]
    ?.state;
const wait = ({ contractId }: Scene, taskId: string, targets: string[], until: 'past' | 'none') =>
  sql`insert into waits (owner_id, contract_id, task_id, kind, target_ids, until, created_at)
      values (${t.ownerId}, ${contractId}, ${taskId}, 'tasks_all', ${targets}::uuid[],
              ${until === 'past' ? past() : null}, ${past()})`;
const contractIs = ({ contractId }: Scene, ...path: string[]) =>
  byForce(async (tx) => {
    for (const status of path)
      await tx`update contracts set status = ${status}, status_changed_at = ${past()},
                      waiting_for = ${status === 'waiting_for_input' ? 'question' : null},
                      failure_reason = ${status === 'failed' ? 'no reason' : null} where id = ${contractId}`;
  });

/** The child of a scene, as `running` or `done` made it. */
const child = new Map<string, string>();
const withChild = async (scene: Scene): Promise<string> => {
  const { taskId } = await running(scene);
  child.set(scene.contractId, taskId);
  return taskId;
};
const childOf = ({ contractId }: Scene): string => child.get(contractId) ?? '';
const isTakenUpAgain = async (scene: Scene) =>
  expect(['pending', 'starting']).toContain(await statusOf('tasks', childOf(scene)));

const cases: Readonly<Record<InvariantKind, Case>> = {
  task_without_attempt: {
    breaks: async (s) => endAttempt(await withChild(s), 'lost'),
    healed: isTakenUpAgain,
  },
  attempt_superseded: {
    breaks: async (s) => {
      const id = await withChild(s);
      await sql`insert into task_attempts (task_id, attempt, owner_id, daemon_id, session_epoch, state, ended_at)
                select task_id, 2, owner_id, daemon_id, session_epoch, 'lost', clock() from task_attempts where task_id = ${id}`;
      await sql`update tasks set current_attempt = 2, status = 'interrupted', pending_since = clock() where id = ${id}`;
    },
    healed: async (s) =>
      expect(
        await sql`select state from task_attempts where task_id = ${childOf(s)} and attempt = 1`,
      ).toEqual([{ state: 'lost' }]),
  },
  attempt_at_rest: {
    breaks: (s) =>
      sql`update tasks set status = 'paused', session = 'parked' where id = ${s.supervisorTaskId}`,
    healed: async (s) =>
      expect(
        await sql`select state from task_attempts where task_id = ${s.supervisorTaskId} and attempt = 1`,
      ).toEqual([{ state: 'lost' }]),
  },
  lease_overdue: {
    breaks: async (s) =>
      sql`update task_attempts set lease_expires_at = ${past()} where task_id = ${await withChild(s)}`,
    healed: isTakenUpAgain,
  },
  epoch_differs: {
    breaks: (s) =>
      sql`update supervisors set epoch = epoch + 1 where task_id = ${s.supervisorTaskId}`,
    mend: (s) =>
      sql`update supervisors set epoch = epoch - 1 where task_id = ${s.supervisorTaskId}`,
  },
  way_back_missing: {
    breaks: async (s) => {
      const id = await withChild(s);
      await endAttempt(id, 'lost');
      await sql`update tasks set status = 'interrupted', session = 'none', pending_since = ${past()} where id = ${id}`;
    },
    healed: isTakenUpAgain,
  },
  sleeps_for_nothing: {
    breaks: async (s) => {
      await endAttempt(s.supervisorTaskId, 'done');
      await sql`update tasks set status = 'paused', session = 'parked' where id = ${s.supervisorTaskId}`;
      await sql`update supervisors set state = 'waiting_for_tasks' where task_id = ${s.supervisorTaskId}`;
    },
    healed: async (s) =>
      expect(['pending', 'starting']).toContain(await statusOf('tasks', s.supervisorTaskId)),
  },
  waits_for_nobody: {
    breaks: (s) =>
      sql`update supervisors set state = 'waiting_for_user', updated_at = ${past()} where task_id = ${s.supervisorTaskId}`,
    healed: async (s) =>
      expect(
        await sql`select state from supervisors where task_id = ${s.supervisorTaskId}`,
      ).toEqual([{ state: 'working' }]),
  },
  contract_leaderless: {
    breaks: async (s) => {
      await endAttempt(s.supervisorTaskId, 'failed');
      await sql`update tasks set status = 'failed', finished_at = ${past()} where id = ${s.supervisorTaskId}`;
      await contractIs(s, 'active');
    },
    healed: async (s) => expect(await statusOf('contracts', s.contractId)).toBe('failed'),
  },
  contract_waits_for_nothing: {
    breaks: (s) => contractIs(s, 'waiting_for_input'),
    healed: async (s) => expect(await statusOf('contracts', s.contractId)).toBe('active'),
  },
  question_of_the_ended: {
    breaks: async (s) => {
      await askQuestion(t.engine, by(s.supervisor), zAskInput.parse({ question: 'Which way?' }));
      await contractIs(s, 'failed');
    },
    healed: async (s) =>
      expect(await sql`select status from questions where contract_id = ${s.contractId}`).toEqual([
        { status: 'cancelled' },
      ]),
  },
  wait_overdue: {
    breaks: async (s) => wait(s, s.supervisorTaskId, [await withChild(s)], 'past'),
    healed: async (s) => expect(await stateOfWait(s)).toBe('timed_out'),
  },
  wait_come: {
    breaks: async (s) => {
      const { taskId } = await done(s);
      await sql`update tasks set finished_at = ${past()} where id = ${taskId}`;
      await wait(s, s.supervisorTaskId, [taskId], 'none');
    },
    healed: async (s) => expect(await stateOfWait(s)).toBe('satisfied'),
  },
  wait_of_the_ended: {
    breaks: async (s) => {
      const { taskId } = await done(s);
      await sql`update tasks set finished_at = ${past()} where id = ${taskId}`;
      await wait(s, taskId, [s.supervisorTaskId], 'none');
    },
    healed: async (s) => expect(await stateOfWait(s)).toBe('cancelled'),
  },
  work_of_the_ended: {
    breaks: async (s) => {
      child.set(s.contractId, (await spawned(s)).id);
      await contractIs(s, 'completing', 'completed');
    },
    healed: async (s) => expect(await statusOf('tasks', childOf(s))).toBe('cancelled'),
  },
  command_not_taken: {
    breaks: async () => {
      await sql`update daemons set connected_at = ${past()}`;
      await sql`update daemon_commands set acked_at = null, created_at = ${past()} where daemon_id = ${daemon.id} and seq = 1`;
    },
    mend: async () => {
      expect(t.hints.map(({ channel }) => channel).some((name) => name.includes(daemon.id))).toBe(
        true,
      );
      await sql`update daemon_commands set acked_at = clock() where acked_at is null`;
    },
  },
  mail_not_sent: {
    breaks: (s) =>
      sql`insert into outbox (owner_id, queue, job_id, payload, not_before)
          values (${t.ownerId}, 'evaluate-contract', ${s.contractId}, '{}', ${past()})`,
    mend: () => sql`update outbox set published_at = clock()`,
  },
  guard_passed: {
    breaks: ({ contractId }) =>
      byForce(async (tx) => {
        const [row] = await tx<{ id: string }[]>`
          insert into confirmations (owner_id, contract_id, kind, from_phase, contract_version, digest, requested_by)
          values (${t.ownerId}, ${contractId}, 'phase', 'plan', 1, '', 'nobody') returning id`;
        await tx`insert into phase_changes (owner_id, contract_id, from_phase, to_phase, version, guarded, confirmation_id, by_kind)
                 values (${t.ownerId}, ${contractId}, 'plan', 'next', 99, true, ${row?.id ?? ''}, 'agent')`;
      }),
    mend: ({ contractId }) =>
      byForce((tx) => tx`delete from phase_changes where contract_id = ${contractId}`),
  },
  events_differ: {
    breaks: ({ contractId }) =>
      sql`update contract_cursors set seq = seq + 1 where contract_id = ${contractId}`,
    mend: ({ contractId }) =>
      byForce(async (tx) => {
        await tx`update events set seq = seq - 1 where contract_id = ${contractId} and type = 'incident.opened'`;
        await tx`update contract_cursors set seq = seq - 1 where contract_id = ${contractId}`;
      }),
  },
  output_differs: {
    breaks: async (s) =>
      sql`update task_attempts set output_seq = 5 where task_id = ${await withChild(s)}`,
    mend: (s) => sql`update task_attempts set output_seq = 0 where task_id = ${childOf(s)}`,
  },
};

const openedKinds: InvariantKind[] = [];
const look = (...kinds: InvariantKind[]) =>
  auditInvariants(t.engine, {
    limit: 500,
    ...(kinds.length === 0 ? {} : { kinds }),
    opened: (kind) => void openedKinds.push(kind),
  });
/** Of this scene, or of no contract. */
const incidents = (kind: InvariantKind, { contractId }: Scene) =>
  sql<{ closedAt: Date | null }[]>`
    select closed_at from incidents
     where kind = ${kind} and coalesce(detail ->> 'contractId', ${contractId}) = ${contractId}`;

describe('the self-audit', () => {
  it('finds nothing where all is well', async () => {
    const scene = await stage(t, { daemon });
    await running(scene);
    await done(scene, { name: 'other' });
    expect(await look()).toBe(0);
  });

  it.each(invariantKinds)(
    '%s: found once, put right or left to a person, closed once',
    async (kind) => {
      const whole = await stage(t, { daemon });
      const scene: Scene = { ...whole, contractId: whole.contract.id };
      const { breaks, healed, mend } = cases[kind];
      expect(healed !== undefined || kind === 'command_not_taken').toBe(invariants[kind].heals);
      await breaks(scene);
      openedKinds.length = 0;
      await look(kind);
      expect(openedKinds).toContain(kind);
      expect(await incidents(kind, scene)).toHaveLength(1);
      if (healed !== undefined) {
        await runJobs(t);
        await healed(scene);
      } else {
        await look(kind);
        const title = expect.stringContaining(invariants[kind].says);
        expect((await inbox(t.engine, t.owner)).items).toContainEqual(
          expect.objectContaining({ kind: 'incident', title }),
        );
        await mend?.(scene);
      }
      await look(kind);
      await look(kind);
      expect(await incidents(kind, scene)).toEqual([{ closedAt: expect.any(Date) }]);
      const told = (
        await sql<{ type: string }[]>`
      select type from events where data ->> 'kind' = ${kind}
           and coalesce(contract_id, ${scene.contractId}) = ${scene.contractId} order by id`
      ).map(({ type }) => type);
      expect(told).toEqual(['incident.opened', 'incident.closed']);
      expect((await eventsOf(t, scene.contractId)).length).toBeGreaterThan(0);
    },
  );
});

describe('long histories', () => {
  const whole = { recentMs: 60_000, part: 0, parts: 1 };
  /** Of so many parts one in which the subject is not, but by ill luck of its id. */
  const newest = { ...whole, part: 99_999, parts: 100_000 };
  const finds = async (kind: InvariantKind, histories: typeof whole, contractId: string) => {
    const rows = await brokenRows(sql, kind, { graceMs: 60_000, limit: 500, histories });
    return rows.some((row) => row.contractId === contractId);
  };

  it('are counted part by part, and what came lately in each look', async () => {
    const { id } = (await stage(t, { daemon })).contract;
    const found = (histories: typeof whole) => finds('events_differ', histories, id);
    const age = () =>
      byForce((tx) => tx`update events set at = ${past()} where contract_id = ${id}`);
    const last = sql`(select seq from contract_cursors where contract_id = ${id})`;
    expect(await found(whole)).toBe(false);
    await age();
    await byForce((tx) => tx`delete from events where contract_id = ${id} and seq = 1`);
    expect(await found(newest)).toBe(false);
    expect(await found(whole)).toBe(true);
    // What is wrong already is looked at until it is right, however old.
    await sql`insert into incidents (owner_id, kind, subject) values (${t.ownerId}, 'events_differ', ${id})`;
    expect(await found(newest)).toBe(true);
    await sql`delete from incidents where subject = ${id}`;
    expect(await found(newest)).toBe(false);
    await byForce(
      (tx) => tx`update events set at = clock() where contract_id = ${id} and seq = ${last}`,
    );
    expect(await found(newest)).toBe(true);
    await age();
    await byForce((tx) => tx`delete from events where contract_id = ${id} and seq = ${last}`);
    expect(await found(newest)).toBe(true);
    await byForce((tx) => tx`delete from events where contract_id = ${id}`);
    await sql`update contract_cursors set seq = 0 where contract_id = ${id}`;
  });

  it('of output as well', async () => {
    const scene = await stage(t, { daemon });
    const { taskId } = await running(scene);
    const found = (histories: typeof whole) =>
      finds('output_differs', histories, scene.contract.id);
    const batch = (fromSeq: number) =>
      sql`insert into task_outputs (owner_id, task_id, attempt, from_seq, count, lines, at)
          values (${t.ownerId}, ${taskId}, 1, ${fromSeq}, 2, '[]', ${past()})`;
    const upTo = (seq: number) =>
      sql`update task_attempts set output_seq = ${seq} where task_id = ${taskId}`;
    await batch(1);
    await batch(5);
    await upTo(6);
    expect(await found(newest)).toBe(false);
    await upTo(7);
    expect(await found(newest)).toBe(true);
    await upTo(6);
    expect(await found(whole)).toBe(true);
    await sql`update task_outputs set at = clock() where task_id = ${taskId}`;
    expect(await found(newest)).toBe(true);
    await batch(3);
    expect(await found(whole)).toBe(false);
  });
});

describe('a ticket that nobody takes', () => {
  it('is not written again with each look', async () => {
    const scene = await stage(t, { daemon });
    const { taskId } = await running(scene);
    await endAttempt(taskId, 'lost');
    await sql`update tasks set status = 'interrupted', session = 'none', pending_since = ${past()} where id = ${taskId}`;
    const tickets = () =>
      sql`select 1 from outbox where queue = 'retry-task' and payload ->> 'taskId' = ${taskId}`;
    await look('way_back_missing');
    // It waits to be queued.
    await sql`update requeues set last_at = ${past()} where entity_id = ${taskId}`;
    await look('way_back_missing');
    expect(await tickets()).toHaveLength(1);
    // It was queued a moment ago.
    await sql`update outbox set published_at = clock()`;
    await sql`update requeues set last_at = clock() where entity_id = ${taskId}`;
    await look('way_back_missing');
    expect(await tickets()).toHaveLength(1);
    await sql`update requeues set last_at = ${past()} where entity_id = ${taskId}`;
    await look('way_back_missing');
    expect(await tickets()).toHaveLength(2);
    await runJobs(t);
    expect(['pending', 'starting']).toContain(await statusOf('tasks', taskId));
  });
});

it('a supervisor that is done, with a gate that waits for a person, is no leaderless contract', async () => {
  const settings = { ...t.engine.settings, autoAdvancePhases: false };
  const house = { ...t, engine: { ...t.engine, settings } };
  const { contract, supervisorTaskId } = await stage(house, { daemon });
  const given = { id: contract.id, phase: 'plan', deliverableId: 'plan-document', evidence: [] };
  await completeDeliverable(house.engine, by(t.owner), given);
  await runJobs(house);
  await endAttempt(supervisorTaskId, 'done');
  await sql`update tasks set status = 'done', finished_at = ${past()} where id = ${supervisorTaskId}`;
  await contractIs({ contractId: contract.id } as Scene, 'active');
  expect(await look('contract_leaderless')).toBe(0);
  await byForce(
    (tx) => tx`
    update events set type = 'contract.updated' where contract_id = ${contract.id} and type = 'contract.ready'`,
  );
  expect(await look('contract_leaderless')).toBe(1);
});
