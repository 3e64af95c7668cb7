/** Scenes that many tests begin with: a contract whose supervisor runs, and tasks below it. */
import type { z } from 'zod';
import type { ContractDetail, ContractInput } from '@makima/contracts/entity/contract';
import {
  zDirectiveInput,
  zOrderInput,
  type DirectiveDetail,
  type OrderInput,
} from '@makima/contracts/entity/directive';
import { zSpawnInput, type SpawnInput, type Task } from '@makima/contracts/entity/task';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { zAskInput } from '@makima/contracts/entity/question';
import { addRepository } from './contract/repositories.ts';
import { createDirective } from './directive/create.ts';
import { createKey } from './identity/create-key.ts';
import { createEnrolment, enrolDaemon } from './identity/enrol.ts';
import { requestDiff } from './operation/request.ts';
import { placeOrder } from './order/place.ts';
import type { Acted } from './context.ts';
import type { Ordered } from './operation/permit.ts';
import type { Agent } from './principal.ts';
import { askQuestion } from './question/ask.ts';
import { messageTask } from './task/message.ts';
import { spawnTask } from './task/spawn.ts';
import { TestDaemon } from './test-daemon.ts';
import { webhookScene } from './test-webhook.ts';
import type { Ids } from './test-ids.ts';
import { by, newContract, runJobs, type TestEngine } from './test-engine.ts';

export interface Stage {
  readonly t: TestEngine;
  readonly daemon: TestDaemon;
  readonly contract: ContractDetail;
  readonly supervisorTaskId: string;
  /** The supervisor's agent, in its first epoch. */
  readonly supervisor: Agent;
}

/** A contract with a running supervisor on a connected daemon. */
export async function stage(
  t: TestEngine,
  options: { contract?: Partial<ContractInput>; slots?: number; daemon?: TestDaemon } = {},
): Promise<Stage> {
  const daemon = options.daemon ?? (await TestDaemon.join(t, { slots: options.slots ?? 8 }));
  const contract = await newContract(t, options.contract);
  await runJobs(t);
  const starts = await daemon.pullOnly('task.start');
  const start = starts.find((command) => command.contractId === contract.id);
  if (start === undefined) throw new Error('the supervisor found no place');
  await daemon.started(start);
  const supervisor = await daemon.agent(start);
  return { t, daemon, contract, supervisorTaskId: start.taskId, supervisor };
}

export const spawnInput = (contractId: string, input: Partial<SpawnInput> = {}): SpawnInput =>
  zSpawnInput.parse({ name: 'build', plan: 'Build it.', contractId, ...input });

/** Spawned by the supervisor, pending. */
export async function spawned(scene: Stage, input: Partial<SpawnInput> = {}): Promise<Task> {
  const whole = spawnInput(scene.contract.id, input);
  return (await spawnTask(scene.t.engine, by(scene.supervisor), whole)).result;
}

/** Spawned, assigned and started. */
export async function running(
  scene: Stage,
  input: Partial<SpawnInput> = {},
): Promise<CommandOf<'task.start'>> {
  const task = await spawned(scene, input);
  await runJobs(scene.t);
  const start = (await scene.daemon.pullOnly('task.start')).find((c) => c.taskId === task.id);
  if (start === undefined) throw new Error(`task ${task.name} found no place`);
  await scene.daemon.started(start);
  return start;
}

/** Spawned, started and done. */
export async function done(
  scene: Stage,
  input: Partial<SpawnInput> = {},
): Promise<CommandOf<'task.start'>> {
  const start = await running(scene, input);
  await scene.daemon.ended(start);
  await runJobs(scene.t);
  return start;
}

export async function taskRow(
  t: TestEngine,
  id: string,
): Promise<{
  status: string;
  currentAttempt: number;
  session: string;
  errorMessage: string | null;
  outputSummary: string | null;
  retryCount: number;
}> {
  const [row] = await t.database.sql`select * from tasks where id = ${id}`;
  if (row === undefined) throw new Error(`there is no task ${id}`);
  return row as never;
}

export async function contractRow(
  t: TestEngine,
  id: string,
): Promise<{ status: string; phase: string; version: number; waitingFor: string | null }> {
  const [row] = await t.database.sql`select * from contracts where id = ${id}`;
  if (row === undefined) throw new Error(`there is no contract ${id}`);
  return row as never;
}

/** A scene with everything that a verb can be about. */
export async function fullScene(
  t: TestEngine,
  daemon: TestDaemon,
): Promise<Stage & { ids: Ids; directiveAgent: Agent }> {
  const scene = await stage(t, { daemon });
  const { engine } = t;
  const contractId = scene.contract.id;
  const finished = await done(scene, { name: 'finished' });
  const paused = await running(scene, { name: 'paused' });
  await daemon.ended(paused, { outcome: 'stopped' });
  const works = await running(scene, { name: 'works' });
  const question = await askQuestion(
    engine,
    by(scene.supervisor),
    zAskInput.parse({
      question: 'This or that?',
      choices: ['this', 'that'],
      default: { answer: 'this', afterSeconds: 3_600 },
    }),
  );
  const operation = await requestDiff(engine, by(scene.supervisor), { id: finished.taskId });
  const message = await messageTask(engine, by(scene.supervisor), {
    id: works.taskId,
    message: 'Hello',
    mode: 'queue',
  });
  const repository = await addRepository(engine, by(t.owner), {
    id: contractId,
    localPath: '/srv/other',
  });
  const standing = await directiveStage(t, daemon);
  const order = await placeOrder(engine, by(standing.agent), orderInput());
  const hook = await webhookScene(t, { contractId });
  const key = await createKey(engine, by(t.owner), { name: 'spare', scopes: ['read'] });
  return {
    ...scene,
    ids: {
      contractId,
      taskId: finished.taskId,
      pausedTaskId: paused.taskId,
      runningTaskId: works.taskId,
      questionId: question.result.questionId,
      operationId: operation.result.operationId,
      messageId: message.result.messageId,
      repositoryId: repository.result.id,
      daemonId: (await spareDaemon(t)).id,
      keyId: key.result.info.id,
      directiveId: standing.directive.id,
      orderId: order.result.id,
      ...hook,
    },
    directiveAgent: standing.agent,
  };
}

export interface Standing {
  readonly directive: DirectiveDetail;
  readonly start: CommandOf<'task.start'>;
  readonly agent: Agent;
}

/** A directive whose first agent runs. */
export async function directiveStage(
  t: TestEngine,
  daemon: TestDaemon,
  input: Partial<z.input<typeof zDirectiveInput>> = {},
): Promise<Standing> {
  const whole = zDirectiveInput.parse({
    title: 'Keep it tidy',
    goal: 'No dead code.',
    localPath: '/srv/repositories/example',
    agent: 'scripted',
    ...input,
  });
  const { result: directive } = await createDirective(t.engine, by(t.owner), whole);
  await runJobs(t);
  const taskId = directive.tasks[0]?.id;
  const start = (await daemon.pullOnly('task.start')).find((c) => c.taskId === taskId);
  if (start === undefined) throw new Error('the agent of the directive found no place');
  await daemon.started(start);
  return { directive, start, agent: await daemon.agent(start) };
}

export const orderInput = (input: Partial<z.input<typeof zOrderInput>> = {}): OrderInput =>
  zOrderInput.parse({ title: 'Remove the old parser', orderType: 'chore', ...input });

async function spareDaemon(t: TestEngine): Promise<{ id: string }> {
  const { result } = await createEnrolment(t.engine, by(t.owner), { expiresInSeconds: 60 });
  const made = await enrolDaemon(t.engine, { token: result.token, name: 'spare', host: 'spare' });
  return { id: made.daemonId };
}

/** The operation that was ordered; a person need not be asked for it. */
export async function orderedId(work: Promise<Acted<Ordered>>): Promise<string> {
  const { operationId } = (await work).result;
  if (operationId === null) throw new Error('a person was asked');
  return operationId;
}
