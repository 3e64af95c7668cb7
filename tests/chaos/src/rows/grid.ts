// The grid: each process killed at each save point of a contract, one contract for each.
import { killProcess } from '../faults/kills.ts';
import { beginContract, endOf } from '../load/contracts.ts';
import { found } from '../pause.ts';
import type { Started } from '../scenario.ts';
import type { Row, RowStage } from './row.ts';
import { agentOf, killNow, patienceMs, untilEvent } from './stories/stage.ts';

const processes = ['api', 'scheduler', 'restorer', 'daemon-gateway', 'daemon', 'agent'] as const;
const savePoints = [
  'question.asked',
  'contract.phase_changed',
  'task.spawned',
  'wait.started',
  'task.merged',
  'deliverable.completed',
] as const;

/** So many cells at once: more would hit each other's processes more than their own save points. */
const side = 3;

export const grid: Row = {
  about: `${processes.length} processes, each killed at each of ${savePoints.length} save points`,
  contracts: 0,
  seconds: 10,
  async story(stage) {
    const cells = savePoints.flatMap((point) => processes.map((process) => ({ process, point })));
    const all: Started[] = [];
    const line = async (): Promise<void> => {
      for (let cell = cells.shift(); cell !== undefined; cell = cells.shift())
        all.push(await runCell(stage, cell.process, cell.point));
    };
    await Promise.all(Array.from({ length: side }, line));
    return all;
  },
};

async function runCell(stage: RowStage, process: string, point: string): Promise<Started> {
  const { house, say, verdict } = stage;
  const over = new AbortController();
  const name = `${process}-at-${point.replaceAll(/[._]/g, '-')}`;
  const started = await beginContract(stage, name, over.signal);
  if (started === null) throw new Error(`${name} was not begun`);
  await untilEvent(stage, started, point);
  const bite = process === 'agent' ? killAgentOf(stage, started) : killOne(stage, process);
  if (!(await bite)) verdict.broken.push(`${name}: nobody was hit at this save point`);
  const status = await endOf(house, started, 2 * patienceMs);
  say(`${name}: ${status ?? 'not over'}`);
  if (status !== 'completed') verdict.broken.push(`${name} ended as ${status ?? 'nothing'}`);
  return started;
}

/** True once another process has its place. Another cell may have just killed it: then it is dead here too. */
async function killOne({ house, say }: RowStage, name: string): Promise<boolean> {
  const strike = killProcess(house, name);
  if (strike === null) {
    say(`${name} was down`);
    return true;
  }
  const shown = await found(() => strike.evidence(), { withinMs: patienceMs });
  return shown !== undefined;
}

/** True once its next attempt has begun. */
async function killAgentOf(stage: RowStage, started: Started): Promise<boolean> {
  const supervisor = await supervisorOf(stage, started);
  const agent = await agentOf(stage, supervisor);
  if (agent === undefined) return false;
  killNow(agent);
  return (await agentOf(stage, supervisor, agent.attempt + 1)) !== undefined;
}

async function supervisorOf({ house }: RowStage, { id }: Started): Promise<string> {
  const [row] = await house.sql<{ id: string }[]>`
    select id from tasks where contract_id = ${id} and is_supervisor`;
  return row?.id ?? '';
}
