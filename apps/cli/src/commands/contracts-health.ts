/** `makima contracts health`: what is well with a contract and what is not, one line each. */
import type { Client } from '@makima/client/client';
import type { ContractDetail } from '@makima/contracts/entity/contract';
import { isMakimaError } from '@makima/domain/error';
import { contractId } from '../find.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';
import { ago } from '../time.ts';

interface Check {
  readonly check: string;
  /** `wait`: nobody is at fault, and somebody is awaited. */
  readonly state: 'ok' | 'wait' | 'bad';
  readonly detail: string;
}

export async function run(shell: Shell, [typed]: readonly [string]): Promise<number> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const contract = await client.call('getContract', { params: { id } });
  const checks = [
    statusCheck(contract),
    ...(await supervisorChecks(client, contract, shell.nowMs())),
    ...(await workChecks(client, contract, shell.nowMs())),
  ];
  const healthy = checks.every(({ state }) => state !== 'bad');
  if (shell.format === 'json') shell.json({ id, slug: contract.slug, healthy, checks });
  else {
    shell.print(renderTable(columns, checks, shell.screen));
    if (!healthy) shell.say(`What can be done: makima why ${contract.slug}`);
  }
  return healthy ? 0 : 1;
}

const columns: readonly Column<Check>[] = [
  { head: 'CHECK', rigid: true, cell: ({ check }) => check },
  {
    head: 'STATE',
    rigid: true,
    cell: ({ state }) => state,
    tint: (text, { state }, colors) =>
      state === 'ok'
        ? colors.green(text)
        : state === 'bad'
          ? colors.red(text)
          : colors.yellow(text),
  },
  { head: 'DETAIL', cell: ({ detail }) => oneLine(detail), least: 20 },
];

function statusCheck(contract: ContractDetail): Check {
  const { status, blockedReason, failureReason, waitingFor } = contract;
  const why = blockedReason ?? failureReason ?? waitingFor?.replaceAll('_', ' ');
  const bad = status === 'failed' || status === 'blocked';
  const state = bad ? 'bad' : status === 'waiting_for_input' || status === 'paused' ? 'wait' : 'ok';
  return { check: 'status', state, detail: why == null ? status : `${status}: ${why}` };
}

const over: readonly string[] = ['completed', 'failed', 'archived'];

async function supervisorChecks(
  client: Client,
  contract: ContractDetail,
  nowMs: number,
): Promise<Check[]> {
  if (contract.supervisorTaskId === null)
    return [{ check: 'supervisor', state: 'wait', detail: 'not started' }];
  const [supervisor, task, daemons] = await Promise.all([
    statusOf(client, contract.id),
    client.call('getTask', { params: { id: contract.supervisorTaskId } }),
    client.call('listDaemons', {}),
  ]);
  if (typeof supervisor === 'string')
    return [{ check: 'supervisor', state: 'bad', detail: supervisor }];
  const ended = over.includes(contract.status);
  const down = supervisor.state === 'failed' || supervisor.state === 'interrupted';
  const attempt = task.attempts.at(-1);
  const machine = daemons.items.find(({ id }) => id === task.daemonId);
  const lease = attempt?.leaseExpiresAt ?? null;
  const late = lease !== null && Date.parse(lease) < nowMs;
  const beat = supervisor.last_heartbeat;
  return [
    {
      check: 'supervisor',
      state: down && !ended && contract.status !== 'paused' ? 'bad' : 'ok',
      detail: `${supervisor.state}, epoch ${supervisor.epoch}, ${supervisor.current_activity ?? 'nothing said'}`,
    },
    {
      check: 'heartbeat',
      state: 'ok',
      detail: beat === null ? 'none yet' : `${ago(beat, nowMs)} ago`,
    },
    {
      check: 'lease',
      state: late && !ended ? 'bad' : 'ok',
      detail: lease === null ? `none (${task.session})` : late ? 'over' : 'held',
    },
    {
      check: 'machine',
      state: machine?.status !== 'connected' && lease !== null ? 'bad' : 'ok',
      detail: machine === undefined ? 'none' : `${machine.name}: ${machine.status}`,
    },
  ];
}

/** A sentence when there is none, or it is dead. */
async function statusOf(client: Client, id: string) {
  try {
    return await client.call('supervisorStatus', { params: { id } });
  } catch (error) {
    if (isMakimaError(error) && error.code.startsWith('SUPERVISOR_')) return error.message;
    throw error;
  }
}

async function workChecks(
  client: Client,
  contract: ContractDetail,
  nowMs: number,
): Promise<Check[]> {
  const params = { id: contract.id };
  const [{ items: tasks }, gate, why] = await Promise.all([
    client.call('listContractTasks', { params }),
    client.call('phaseReadiness', { params }),
    client.call('whyContract', { params }),
  ]);
  const queued = tasks.filter(({ status }) => status === 'pending');
  const oldest = queued.flatMap(({ pendingSince }) => pendingSince ?? []).toSorted()[0];
  const failed = tasks.filter(({ status }) => status === 'failed').length;
  const stale = contract.attention === 'stale';
  return [
    {
      check: 'queue',
      state: 'ok',
      detail:
        oldest === undefined
          ? 'nothing waits to be started'
          : `${queued.length} to be started, the oldest has waited ${ago(oldest, nowMs)}`,
    },
    {
      check: 'tasks',
      state: failed > 0 && !over.includes(contract.status) ? 'bad' : 'ok',
      detail: `${tasks.length} tasks, ${failed} failed`,
    },
    {
      check: 'progress',
      state: stale ? 'bad' : 'ok',
      detail: `${stale ? 'stale: ' : ''}last activity ${ago(contract.lastActivityAt, nowMs)} ago`,
    },
    {
      check: 'gate',
      state: gate.ready || over.includes(contract.status) ? 'ok' : 'wait',
      detail: gate.ready
        ? `${gate.phase} may be left`
        : `${gate.phase}: ${gate.missing.map(({ reason }) => reason).join(' ')}`,
    },
    ...why.blockers.map((blocker): Check => ({
      check: blocker.kind.replaceAll('_', ' '),
      state: 'wait',
      detail: blocker.act === null ? blocker.reason : `${blocker.reason} (${blocker.act})`,
    })),
  ];
}
