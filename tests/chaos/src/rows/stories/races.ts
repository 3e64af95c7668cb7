// Rows in which many want the same at once: ten restorers, twenty answers, ten steps and a refusal.
import { openBus } from '@makima/bus/queues';
import { isMakimaError } from '@makima/domain/error';
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import type { Row, RowStage } from '../row.ts';
import { endOf } from '../../load/contracts.ts';
import { agentOf, finish, killNow, patienceMs, tellOf, untilEvent, untilRow } from './stage.ts';

const restorers = 10;
const answers = 20;

export const raceRows = {
  T04: {
    about: 'ten restorers on one supervisor, at two processes',
    house: { replicas: { restorer: 2 } },
    async story(stage) {
      const told = await tellOf(stage, 'ten-restorers', [
        { wait_message: { containing: 'go' } },
        ...finish,
      ]);
      await untilEvent(stage, told, 'task.started');
      killNow(await agentOf(stage, told.supervisorId));
      await untilEvent(stage, told, 'attempt.lost');
      await tenTickets(stage, told.supervisorId);
      await agentOf(stage, told.supervisorId, 2);
      const rows = await stage.house.sql<{ epoch: number }[]>`
        select epoch from restorations where task_id = ${told.supervisorId}`;
      if (rows.length !== 1)
        stage.verdict.doubled.push(`${rows.length} restorations of one death (I20)`);
      await word(stage, told.supervisorId, 'go');
      await expectEnd(stage, told);
    },
  },
  T49: {
    about: 'a question answered twenty times at once, and once more while its asker is restored',
    async story(stage) {
      const { house, verdict } = stage;
      const told = await tellOf(stage, 'twenty-answers', [
        { wait_message: { containing: 'go' } },
        { ask: { question: 'Which way?', choices: [] }, as: 'way' },
        { say: 'I go ${way.response}.' },
        ...finish,
      ]);
      await untilEvent(stage, told, 'task.started');
      await word(stage, told.supervisorId, 'go');
      const asked = await untilRow<{ id: string }>(
        stage,
        'the question',
        () =>
          house.sql`select id from questions where contract_id = ${told.id} and question = 'Which way?'`,
      );
      if (asked === undefined) return;
      killNow(await agentOf(stage, told.supervisorId));
      const said = await Promise.allSettled(
        Array.from({ length: answers }, (_, n) =>
          house.client.call('answerQuestion', {
            params: { id: asked.id },
            body: { response: `way ${n}` },
          }),
        ),
      );
      const taken = said.filter(({ status }) => status === 'fulfilled').length;
      // The person of the load may have been first.
      if (taken > 1) verdict.doubled.push(`${taken} answers of one question were taken (I26)`);
      for (const one of said)
        if (one.status === 'rejected' && !isRefused(one.reason))
          verdict.broken.push(`an answer that came too late heard ${String(one.reason)} (I26)`);
      await expectEnd(stage, told);
      const heard = house.ledger
        .lines()
        .filter(({ task, text }) => task === told.supervisorId && text?.startsWith('I go '));
      if (new Set(heard.map(({ text }) => text)).size !== 1)
        verdict.broken.push(`it heard ${JSON.stringify(heard.map(({ text }) => text))} (I27)`);
    },
  },
  T50: {
    about: 'ten steps into a guarded phase and a refusal, at once',
    async story(stage) {
      const { house, verdict } = stage;
      const told = await tellOf(
        stage,
        'ten-steps',
        [
          { write: { file: 'PLAN.md', content: '# Plan\n' } },
          { commit: 'The plan' },
          { merge: { task: '${task}' } },
          { deliverable: { id: 'plan-document', evidence: [{ kind: 'file', path: 'PLAN.md' }] } },
          { wait_message: { containing: 'go' } },
          { deliverable: { id: 'implementation', evidence: [{ kind: 'file', path: 'PLAN.md' }] } },
          { done: 'It is done.' },
        ],
        { phaseGuard: ['plan'] },
      );
      await untilEvent(stage, told, 'deliverable.completed');
      // The first step opens the request; then a refusal comes among the others.
      const step = (): Promise<unknown> =>
        house.client.call('changePhase', { params: { id: told.id }, body: { phase: 'execute' } });
      const steps = Array.from({ length: 10 }, step);
      const asked = await untilRow<{ id: string }>(
        stage,
        'the request for a confirmation',
        () => house.sql`
          select id from questions where contract_id = ${told.id} and question_type = 'phase_confirmation'`,
      );
      const refusal =
        asked === undefined
          ? Promise.resolve()
          : house.client.call('answerQuestion', {
              params: { id: asked.id },
              body: { response: 'Send back' },
            });
      const all = [...steps, refusal, ...Array.from({ length: 10 }, step)];
      await Promise.allSettled(all);
      // Whoever was first: a person who means it goes on, and the leader finds itself there.
      await house.client
        .call('changePhase', {
          params: { id: told.id },
          body: { phase: 'execute', confirmed: true },
        })
        .catch(() => {});
      await word(stage, told.supervisorId, 'go');
      await expectEnd(stage, told);
      const [row] = await house.sql<{ changes: number }[]>`
        select count(*)::int as changes from phase_changes where contract_id = ${told.id}`;
      if (row?.changes !== 1)
        verdict.doubled.push(`the phase was left ${row?.changes} times (I28)`);
    },
  },
} as const satisfies Readonly<Record<string, Row>>;

/** No, with the code that says why. */
function isRefused(error: unknown): boolean {
  return isMakimaError(error) && error.code === 'QUESTION_ANSWERED';
}

/** Tickets that nobody asked for, each under another id. */
async function tenTickets({ house }: RowStage, taskId: string): Promise<void> {
  const [task] = await house.sql<{ ownerId: string }[]>`
    select owner_id as "ownerId" from tasks where id = ${taskId}`;
  const bus = openBus({
    url: house.stack.addresses.redisUrl,
    log: createLog({ service: 'chaos', level: 'error' }),
    metrics: createMetrics({ service: 'chaos' }),
  });
  try {
    await new Promise<void>((resolve) => (bus.ready ? resolve() : void bus.onReady(resolve)));
    await bus.add(
      Array.from({ length: restorers }, (_, n) => ({
        queue: 'restore-supervisor' as const,
        jobId: `chaos_${taskId}_${n}`,
        payload: { v: 1 as const, ownerId: task?.ownerId ?? '', taskId, attempt: 1 },
      })),
    );
  } finally {
    await bus.close();
  }
}

async function word({ house }: RowStage, id: string, message: string): Promise<void> {
  await house.client.call('messageTask', { params: { id }, body: { message, mode: 'steer' } });
}

async function expectEnd(
  { house, verdict }: RowStage,
  told: { readonly id: string; readonly slug: string; readonly repo: string },
): Promise<void> {
  const status = await endOf(house, told, patienceMs);
  if (status !== 'completed') verdict.broken.push(`${told.slug} ended as ${status ?? 'nothing'}`);
}
