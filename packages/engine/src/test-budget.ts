/**
 * Acts of the tests of budgets: what agents spend, what is asked and answered, who begins again.
 *
 * Law: each test has a daemon and an agent of its own, so that none is placed beside another's.
 */
import type { ContractInput } from '@makima/contracts/entity/contract';
import type { SpawnInput } from '@makima/contracts/entity/task';
import type { CommandOf } from '@makima/contracts/socket/commands';
import type { Usage } from '@makima/contracts/socket/reports';
import { getContract } from './contract/get.ts';
import { answerQuestion } from './question/answer.ts';
import { listQuestions } from './question/get.ts';
import type { TestDaemon } from './test-daemon.ts';
import { by, eventsOf, runJobs, type TestEngine } from './test-engine.ts';
import { running, stage, type Stage } from './test-stage.ts';

export const usd = (dollars: number) => ({ tokens: null, costMicros: dollars * 1_000_000 });

export type Of = { readonly taskId: string; readonly attempt: number };

export const used = (dollars: number, outputTokens = 0): Usage => ({
  inputTokens: 0,
  outputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  conversationCostMicros: dollars * 1_000_000,
  model: null,
});

export const supervisorOf = (s: Stage): Of => ({ taskId: s.supervisorTaskId, attempt: 1 });

/** Where the running test stands. */
interface Now {
  readonly t: TestEngine;
  readonly daemon: TestDaemon;
  readonly agent: string;
}

export function budgetActs(now: () => Now) {
  const scene = (budget: ContractInput['budget'] = usd(10)) =>
    stage(now().t, { daemon: now().daemon, contract: { budget, agent: now().agent } });
  const tells = async ({ taskId, attempt }: Of, dollars: number, tokens = 0): Promise<void> => {
    await now().daemon.report({ kind: 'task.used', taskId, attempt, usage: used(dollars, tokens) });
    await runJobs(now().t);
  };
  const works = (s: Stage, input: Partial<SpawnInput> = {}) =>
    running(s, { name: 'works', ...input });
  const view = (s: Stage) => getContract(now().t.engine, now().t.owner, { id: s.contract.id });
  const told = async (s: Stage, type: string) =>
    (await eventsOf(now().t, s.contract.id)).filter((event) => event.type === type);
  const asked = async (s: Stage) =>
    (
      await listQuestions(now().t.engine, now().t.owner, {
        status: 'open',
        contractId: s.contract.id,
        limit: 50,
      })
    ).items;
  const answer = async (s: Stage, response: string) => {
    const [question] = await asked(s);
    const done = await answerQuestion(now().t.engine, by(now().t.owner), {
      id: question?.id ?? '',
      response,
    });
    await runJobs(now().t);
    return done;
  };
  /** The stopped agents have ended, and what they are told next. */
  async function end(...attempts: Of[]): Promise<void> {
    for (const of of attempts)
      await now().daemon.ended(of, { outcome: 'stopped', commitSha: null });
    await runJobs(now().t);
  }
  const starts = async (): Promise<CommandOf<'task.start'>[]> => {
    await runJobs(now().t);
    return now().daemon.pullOnly('task.start');
  };
  return { scene, tells, works, view, told, asked, answer, end, starts };
}
