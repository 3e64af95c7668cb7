/** What must not be is refused by the database itself, whoever writes it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractStatuses, contractTransitions } from '@makima/domain/contract';
import { isTaskFinal, taskStatuses } from '@makima/domain/task';
import { testDatabase, type TestDatabase } from '@makima/stack/test-stores';
import { openDatabase, type Database } from './client.ts';
import { closeIncident, openIncident } from './repo/incidents.ts';
import { insertTask } from './repo/tasks.ts';
import { refused, testHouse, type House } from './test-house.ts';

let store: TestDatabase;
let database: Database;
beforeAll(async () => {
  store = await testDatabase();
  database = openDatabase(store.url, { max: 4 });
});
afterAll(async () => {
  await database.close();
  await store.drop();
});

const house = () => testHouse(database);

async function directive(h: House): Promise<string> {
  const [row] = await database.sql<{ id: string }[]>`
    insert into directives (owner_id, title, goal) values (${h.ownerId}, 't', 'g') returning id`;
  return row?.id ?? '';
}

const attempt = (
  h: House,
  n: number,
  state = 'assigned',
  lease: string | null = '1 minute',
) => database.sql`
  insert into task_attempts (task_id, attempt, owner_id, daemon_id, session_epoch, state, lease_expires_at)
  values (${h.task.id}, ${n}, ${h.ownerId}, ${h.daemonId}, 1, ${state}, clock() + ${lease}::interval)`;
const setAttempt = (h: House, n: number, state: string) =>
  database.sql`update task_attempts set state = ${state} where task_id = ${h.task.id} and attempt = ${n}`;

describe('a task', () => {
  it('has one live attempt, with a lease, numbered without a gap', async () => {
    const h = await house();
    await refused(attempt(h, 2), 'task_attempts_gapless');
    await refused(attempt(h, 0), 'task_attempts_gapless');
    await refused(attempt(h, 1, 'assigned', null), 'task_attempts_lease');
    await attempt(h, 1);
    await refused(attempt(h, 1), /task_attempts_(pkey|gapless)/);
    await refused(attempt(h, 2), 'task_attempts_one_live');
    await setAttempt(h, 1, 'lost');
    await refused(attempt(h, 3), 'task_attempts_gapless');
    await attempt(h, 2);
    await refused(setAttempt(h, 1, 'running'), 'task_attempts_terminal');
    await refused(setAttempt(h, 2, 'asleep'), 'task_attempts_state');
  });

  it.each(taskStatuses.filter(isTaskFinal))('that is %s stays so', async (status) => {
    const h = await house();
    const set = (to: string) =>
      database.sql`update tasks set status = ${to} where id = ${h.task.id}`;
    await set(status);
    for (const to of taskStatuses.filter((other) => other !== status)) {
      if (status === 'done' && to === 'merged') continue;
      await refused(set(to), 'tasks_terminal');
    }
    await refused(set('unheard of'), /tasks_(terminal|status)/);
  });

  it('keeps owner and contract, and its number only rises', async () => {
    const [h, other] = [await house(), await house()];
    const { sql } = database;
    await refused(
      sql`update tasks set owner_id = ${other.ownerId} where id = ${h.task.id}`,
      'tasks_owner_kept',
    );
    await refused(
      sql`update tasks set contract_id = null where id = ${h.task.id}`,
      'tasks_owner_kept',
    );
    await sql`update tasks set current_attempt = 2 where id = ${h.task.id}`;
    await refused(
      sql`update tasks set current_attempt = 1 where id = ${h.task.id}`,
      'tasks_attempt_rises',
    );
  });

  it('is the only supervisor of its contract', async () => {
    const h = await house();
    const lead = () =>
      database.sql.begin((tx) =>
        insertTask(tx, {
          ownerId: h.ownerId,
          contractId: h.contract.id,
          name: 's',
          plan: 'p',
          agent: 'scripted',
          isSupervisor: true,
        }),
      );
    await lead();
    await refused(lead(), 'tasks_one_supervisor');
  });
});

describe('rows of two owners', () => {
  it('are never linked', async () => {
    const [mine, theirs] = [await house(), await house()];
    const { sql } = database;
    const { ownerId } = mine;
    const links = [
      sql`insert into tasks (owner_id, contract_id, name, plan, agent) values (${ownerId}, ${theirs.contract.id}, 't', 'p', 'a')`,
      sql`update tasks set parent_task_id = ${theirs.task.id} where id = ${mine.task.id}`,
      attempt({ ...mine, daemonId: theirs.daemonId }, 1),
      attempt({ ...mine, task: theirs.task }, 1),
      sql`insert into repositories (owner_id, contract_id, name, local_path) values (${ownerId}, ${theirs.contract.id}, 'r', '/x')`,
      sql`insert into deliverables (owner_id, contract_id, phase, deliverable_id, completed_by) values (${ownerId}, ${theirs.contract.id}, 'plan', 'x', 'y')`,
      sql`insert into questions (owner_id, contract_id, task_id, question) values (${ownerId}, ${mine.contract.id}, ${theirs.task.id}, 'q')`,
      sql`insert into supervisors (task_id, owner_id, contract_id) values (${mine.task.id}, ${ownerId}, ${theirs.contract.id})`,
      sql`insert into supervisors (task_id, owner_id, contract_id) values (${theirs.task.id}, ${ownerId}, ${mine.contract.id})`,
      sql`insert into keys (owner_id, kind, name, hash, scopes, user_id) values (${ownerId}, 'user', 'k', 'h', '{read}', ${theirs.userId})`,
      sql`insert into keys (owner_id, kind, name, hash, scopes, daemon_id) values (${ownerId}, 'daemon', 'k', 'h', '{}', ${theirs.daemonId})`,
      sql`insert into daemon_commands (daemon_id, seq, owner_id, kind, payload) values (${theirs.daemonId}, 1, ${ownerId}, 'x', '{}')`,
      sql`insert into daemon_journals (journal_id, owner_id, daemon_id) values (${randomUUID()}, ${ownerId}, ${theirs.daemonId})`,
      sql`insert into agent_messages (owner_id, task_id, text, mode, source) values (${ownerId}, ${theirs.task.id}, 't', 'queue', 'person')`,
      sql`insert into conversation_messages (task_id, seq, owner_id, attempt, role, content) values (${theirs.task.id}, 1, ${ownerId}, 1, 'user', 'x')`,
      sql`insert into confirmations (owner_id, contract_id, kind, from_phase, contract_version, digest, requested_by)
          values (${ownerId}, ${theirs.contract.id}, 'completion', 'plan', 1, 'x', 'y')`,
    ];
    for (const link of links) await refused(link, /_fkey$|_fk$/);
  });

  it('do not trust each other’s repositories', async () => {
    const [mine, theirs] = [await house(), await house()];
    const trust = (userId: string | null, at: Date | null) =>
      database.sql`insert into repositories ${database.sql({
        ownerId: mine.ownerId,
        contractId: mine.contract.id,
        name: 'r',
        localPath: '/x',
        trustedByUserId: userId,
        trustedBy: userId === null ? null : 'ada',
        trustedAt: at,
      })}`;
    await refused(trust(theirs.userId, new Date()), /_fkey$/);
    await refused(trust(null, new Date()), 'repositories_trust');
    await refused(trust(mine.userId, null), 'repositories_trust');
    await trust(mine.userId, new Date());
  });

  it('are never linked by a directive or an order either', async () => {
    const [mine, theirs] = [await house(), await house()];
    const { sql } = database;
    const { ownerId } = mine;
    const [my, other] = [await directive(mine), await directive(theirs)];
    const order = (change: Record<string, unknown>) =>
      sql`insert into orders ${sql({ ownerId, directiveId: my, title: 't', orderType: 'chore', localPath: '/x', ...change } as never)}`;
    const accepted = { status: 'accepted', decidedByUserId: mine.userId };
    const links = [
      sql`update tasks set directive_id = ${other} where id = ${mine.task.id}`,
      sql`update contracts set directive_id = ${other} where id = ${mine.contract.id}`,
      sql`insert into questions (owner_id, directive_id, task_id, question) values (${ownerId}, ${other}, ${mine.task.id}, 'q')`,
      order({ directiveId: other }),
      order({ createdByTaskId: theirs.task.id }),
      order({ ...accepted, contractId: theirs.contract.id }),
      order({ ...accepted, decidedByUserId: theirs.userId }),
    ];
    for (const link of links) await refused(link, /_fkey$/);
  });

  it('a key stands for exactly one bearer', async () => {
    const h = await house();
    const { sql } = database;
    const key = (kind: string, extra: Record<string, unknown>) =>
      sql`insert into keys ${sql({ ownerId: h.ownerId, kind, name: 'k', hash: 'h', scopes: [], ...extra } as never)}`;
    await refused(key('user', {}), 'keys_binding');
    await refused(key('user', { userId: h.userId, daemonId: h.daemonId }), 'keys_binding');
    await refused(key('tool', { taskId: h.task.id }), 'keys_binding');
    await refused(key('daemon', { userId: h.userId }), 'keys_binding');
    await refused(key('root', { userId: h.userId }), /keys_(kind|binding)/);
  });
});

describe('an order', () => {
  it('is of a known kind and place, and decided by a person', async () => {
    const h = await house();
    const { sql } = database;
    const whole = {
      ownerId: h.ownerId,
      directiveId: await directive(h),
      title: 't',
      orderType: 'spike',
      localPath: '/x',
    };
    const order = (change: Record<string, unknown> = {}) =>
      sql`insert into orders ${sql({ ...whole, ...change } as never)}`;
    await order();
    await refused(order({ orderType: 'feature' }), 'orders_type');
    await refused(order({ priority: 'soon' }), 'orders_priority');
    await refused(order({ localPath: null }), 'orders_place');
    await refused(order({ repositoryUrl: 'https://x/y' }), 'orders_place');
    await refused(order({ contractId: h.contract.id }), 'orders_accepted');
    await refused(order({ status: 'accepted', contractId: h.contract.id }), 'orders_decided');
    await refused(order({ decidedByUserId: h.userId }), 'orders_decided');
    const dismissed = { status: 'dismissed', decidedByUserId: h.userId };
    await refused(order(dismissed), 'orders_dismissed');
    await refused(order({ dismissedReason: 'x' }), 'orders_dismissed');
    await order({ ...dismissed, dismissedReason: 'x' });
    const accepted = { status: 'accepted', contractId: h.contract.id, decidedByUserId: h.userId };
    await order(accepted);
    await refused(order(accepted), 'orders_contract');
    await refused(order({ status: 'done' }), /orders_(status|decided)/);
  });

  it('belongs to a directive of a known status, mode and place', async () => {
    const h = await house();
    const { sql } = database;
    const set = (change: Record<string, unknown>) =>
      sql`insert into directives ${sql({ ownerId: h.ownerId, title: 't', goal: 'g', ...change } as never)}`;
    await refused(set({ status: 'done' }), 'directives_status');
    await refused(set({ reconcileMode: 'never' }), 'directives_mode');
    await refused(set({ localPath: '/x', repositoryUrl: 'https://x/y' }), 'directives_place');
  });
});

describe('a contract', () => {
  it('goes only the ways of the table', async () => {
    const h = await house();
    const { sql } = database;
    for (const from of contractStatuses) {
      for (const to of contractStatuses.filter(
        (status) => status !== from && !contractTransitions[from].includes(status),
      )) {
        const move = sql.begin(async (tx) => {
          await tx`alter table contracts disable trigger contracts_refuse`;
          await tx`update contracts set status = ${from}, waiting_for = ${from === 'waiting_for_input' ? 'question' : null},
                          blocked_reason = 'x', failure_reason = 'x' where id = ${h.contract.id}`;
          await tx`alter table contracts enable trigger contracts_refuse`;
          await tx`update contracts set status = ${to}, waiting_for = ${to === 'waiting_for_input' ? 'question' : null} where id = ${h.contract.id}`;
        });
        await refused(move, 'contracts_transition');
      }
    }
  });

  it('begins with its supervisor', async () => {
    const h = await house();
    const begin = database.sql`update contracts set status = 'active' where id = ${h.contract.id}`;
    await refused(begin, 'contracts_supervisor');
  });

  it('keeps its owner, says what it waits for, why it is blocked, why it failed', async () => {
    const [h, other] = [await house(), await house()];
    const { sql } = database;
    const set = (change: Record<string, unknown>) =>
      sql`update contracts set ${sql(change as never)} where id = ${h.contract.id}`;
    await refused(set({ ownerId: other.ownerId }), 'contracts_owner_kept');
    await set({ status: 'active', supervisorTaskId: h.task.id });
    await refused(set({ status: 'waiting_for_input' }), 'contracts_waiting_for');
    await refused(set({ waitingFor: 'question' }), 'contracts_waiting_for');
    await refused(set({ status: 'blocked' }), 'contracts_blocked_reason');
    await refused(set({ status: 'failed' }), 'contracts_failure_reason');
    await refused(set({ status: 'lost' }), /contracts_(transition|status)/);
  });

  it('leaves a guarded phase only with a person’s yes to this very step, and makes a version of it', async () => {
    const h = await house();
    const { sql } = database;
    const leave = (to = 'execute', by = 1) =>
      sql`update contracts set phase = ${to}, version = version + ${by} where id = ${h.contract.id}`;
    const yes = (change: Record<string, unknown> = {}) =>
      sql`insert into confirmations ${sql({
        ownerId: h.ownerId,
        contractId: h.contract.id,
        kind: 'phase',
        fromPhase: 'plan',
        toPhase: 'execute',
        contractVersion: 1,
        digest: 'x',
        requestedBy: 'y',
        state: 'approved',
        decidedByUserId: h.userId,
        decidedByKeyId: randomUUID(),
        ...change,
      } as never)}`;
    await refused(leave(), 'contracts_phase_guard');
    await refused(yes({ decidedByUserId: null }), 'confirmations_by_person');
    await refused(yes({ decidedByKeyId: null }), 'confirmations_by_person');
    await refused(yes({ state: 'used', decidedByUserId: null }), 'confirmations_by_person');
    for (const wrong of [
      { contractVersion: 2 },
      { toPhase: 'review' },
      { fromPhase: 'other' },
      { kind: 'completion' },
      { decidedByUserId: randomUUID() },
      { state: 'rejected' },
    ])
      await yes(wrong);
    await refused(leave(), 'contracts_phase_guard');
    const rewritten = sql`update confirmations set to_phase = 'execute' where to_phase = 'review' and contract_id = ${h.contract.id}`;
    await refused(rewritten, 'confirmations_kept');
    const forged = sql`update confirmations set decided_by_user_id = ${h.userId} where contract_id = ${h.contract.id} and state = 'approved'`;
    await refused(forged, 'confirmations_kept');
    await yes();
    await refused(leave('other'), 'contracts_phase_guard');
    await refused(leave('execute', 0), 'contracts_phase_version');
    await refused(leave('execute', 2), 'contracts_phase_version');
    await leave();
  });

  it('has one open confirmation, which is decided once', async () => {
    const h = await house();
    const { sql } = database;
    const open = () => sql<{ id: string }[]>`
      insert into confirmations (owner_id, contract_id, kind, from_phase, contract_version, digest, requested_by)
      values (${h.ownerId}, ${h.contract.id}, 'completion', 'plan', 1, 'x', 'y') returning id`;
    const [one] = await open();
    await refused(open(), 'confirmations_one_open');
    const decide = (state: string) => sql`
      update confirmations set state = ${state}, decided_by_user_id = ${h.userId}, decided_by_key_id = ${h.userId} where id = ${one?.id ?? ''}`;
    await decide('rejected');
    for (const state of ['open', 'approved', 'used', 'void'])
      await refused(decide(state), 'confirmations_decided_once');
  });
});

describe('what is once said', () => {
  it('stays: answers, audit, events, conversation', async () => {
    const h = await house();
    const { sql } = database;
    const [q] = await sql<{ id: string }[]>`
      insert into questions (owner_id, contract_id, task_id, question) values (${h.ownerId}, ${h.contract.id}, ${h.task.id}, 'q') returning id`;
    const answer = (response: string | null, status: string) =>
      sql`update questions set status = ${status}, response = ${response} where id = ${q?.id ?? ''}`;
    await refused(answer(null, 'answered'), 'questions_answer');
    await answer('first', 'answered');
    await refused(answer('second', 'answered'), 'questions_answered_once');
    await refused(answer(null, 'open'), 'questions_answered_once');
    await refused(answer(null, 'cancelled'), 'questions_answered_once');

    await sql`insert into audit (owner_id, actor, action, outcome) values (${h.ownerId}, '{}', 'x', 'done')`;
    await refused(
      sql`update audit set outcome = 'refused' where owner_id = ${h.ownerId}`,
      'audit_append_only',
    );
    await refused(sql`delete from audit where owner_id = ${h.ownerId}`, 'audit_append_only');
    await sql`insert into events (owner_id, contract_id, seq, type, actor) values (${h.ownerId}, ${h.contract.id}, 1, 'contract.created', '{}')`;
    await refused(
      sql`update events set data = '{"x":1}' where owner_id = ${h.ownerId}`,
      'events_append_only',
    );
    await refused(
      sql`insert into events (owner_id, contract_id, seq, type, actor) values (${h.ownerId}, ${h.contract.id}, 1, 'x', '{}')`,
      /events_contract_seq/,
    );
    await refused(
      sql`insert into events (owner_id, contract_id, type, actor) values (${h.ownerId}, ${h.contract.id}, 'x', '{}')`,
      'events_seq',
    );
    await sql`insert into conversation_messages (task_id, seq, owner_id, attempt, role, content) values (${h.task.id}, 1, ${h.ownerId}, 1, 'user', 'x')`;
    await refused(
      sql`update conversation_messages set content = 'y' where task_id = ${h.task.id}`,
      'conversation_messages_append_only',
    );
    await refused(
      sql`insert into conversation_messages (task_id, seq, owner_id, attempt, role, content) values (${h.task.id}, 1, ${h.ownerId}, 1, 'user', 'z')`,
      'conversation_messages_pkey',
    );
  });
});

describe('an incident', () => {
  it('is closed by a transaction that began before it was opened', async () => {
    const { ownerId, contract } = await house();
    const key = { ownerId, kind: 'contract_ready', subject: contract.id };
    const closed = await database.sql.begin(async (early) => {
      await early`select clock()`;
      await database.sql.begin((late) => openIncident(late, { ...key, detail: {} }));
      return closeIncident(early, key);
    });
    expect(closed?.closedAt).toEqual(closed?.openedAt);
    expect(await database.sql.begin((tx) => closeIncident(tx, key))).toBeUndefined();
  });
});
