// The contracts of a run: so many lines of them side by side, one after the other, until it is time to rest.
// Law: a contract that was asked for is seen to its end; how it stands then is compared with its twin, which no
// fault ever met.
import { branchFiles } from '../check/branch.ts';
import type { House } from '../house/house.ts';
import { found, pause } from '../pause.ts';
import { startContract, type Started } from '../scenario.ts';
import type { LoadShape } from './shape.ts';
import type { Operations } from './operations.ts';

export interface Load {
  readonly house: House;
  readonly operations: Operations;
  readonly say: (line: string) => void;
  /** How long an agent works on a step. */
  readonly stepMs?: number;
}

const usualStepMs = 60;

/** Lines side by side until the signal or their time; a contract that was begun is seen to its end. */
export async function contractsUntil(
  signal: AbortSignal,
  load: Load,
  shape: LoadShape,
): Promise<Started[]> {
  const all: Started[] = [];
  const beginsUntil = performance.now() + shape.beginsForMs;
  const mayBegin = (): boolean => !signal.aborted && performance.now() < beginsUntil;
  const line = async (index: number): Promise<void> => {
    await pause(index * shape.staggerMs, signal);
    for (let n = 0; mayBegin(); n++) {
      const started = await beginContract(load, `c${index}-${n}`, signal);
      if (started === null) return;
      all.push(started);
      const status = await endOf(load.house, started, shape.endsWithinMs, shape.lookEveryMs);
      load.say(`${started.slug}: ${status ?? 'not over yet'}`);
    }
  };
  await Promise.all(Array.from({ length: shape.lines }, (_, index) => line(index)));
  return all;
}

/** Asked for until somebody says yes; null when the time was over before. */
export async function beginContract(
  { house, operations, stepMs = usualStepMs }: Load,
  name: string,
  signal?: AbortSignal,
): Promise<Started | null> {
  for (;;) {
    try {
      const started = await startContract(house.client, house.dir, name, stepMs, house.placeOf);
      operations.contractCreated(started.id);
      return started;
    } catch (error) {
      if (signal === undefined) throw error;
      if (signal.aborted) return null;
      await pause(200, signal);
    }
  }
}

const ends: ReadonlySet<string> = new Set(['completed', 'failed', 'archived']);

/** How it ended; undefined when it did not in time. Looked up past the API, which may be dead. */
export function endOf(
  house: House,
  { id }: Started,
  withinMs: number,
  everyMs = 200,
): Promise<string | undefined> {
  return found(
    async () => {
      // Asked of the house each time: its oracle may have been opened anew.
      const rows = await house.sql<{ status: string }[]>`
        select status from contracts where id = ${id}`.catch(() => []);
      const status = rows[0]?.status;
      return status !== undefined && ends.has(status) ? status : undefined;
    },
    { withinMs, everyMs },
  );
}

/** What a contract came to: everything that a fault might have changed, nothing that depends on time. */
export async function outcomeOf(house: House, started: Started): Promise<string> {
  const { sql } = house;
  const { id } = started;
  const [contract] = await sql`select status, phase from contracts where id = ${id}`;
  // Questions name their contract.
  const name = `"${started.slug}"`;
  // One that died between its last step and the report of its end is continued with nothing left to do, and
  // only says that it heard so: what it made is compared by its status, its merge and the files.
  const tasks = await sql`
    select case when is_supervisor then 'supervisor' else name end as name, status,
           case when is_supervisor then null
                when current_attempt > 1 and output_summary like 'Noted: [Continue]%'
                then replace(name, 'piece-', 'piece ') || ' is made'
                else output_summary end as summary
      from tasks where contract_id = ${id} order by 1`;
  const deliverables = await sql`
    select phase, deliverable_id, stale_since is null as holds from deliverables where contract_id = ${id} order by 1, 2`;
  const questions = await sql`
    select question_type, replace(question, ${name}, 'it') as question, status, response from questions
     where contract_id = ${id} and task_id is not null order by 1, 2`;
  const merged = await sql`
    select count(*)::int as merges from events where contract_id = ${id} and type = 'task.merged'`;
  return JSON.stringify({
    contract,
    tasks,
    deliverables,
    questions,
    merged,
    files: await branchFiles(house, started),
  });
}

/** Why one is not over, in the words of the system. */
export async function whyNot({ client, sql }: House, started: Started): Promise<string> {
  const stale = await sql<{ deliverable_id: string; stale_reason: string }[]>`
    select deliverable_id, stale_reason from deliverables
     where contract_id = ${started.id} and stale_since is not null`;
  const [why, status] = await Promise.all([
    client.call('whyContract', { params: { id: started.id } }),
    client.call('supervisorStatus', { params: { id: started.id } }),
  ]);
  const { items } = await client.call('listTaskOutput', {
    params: { id: status.task_id },
    query: { limit: 200 },
  });
  const last = items.slice(-6).map((line) => `${line.messageType}: ${line.content.slice(0, 300)}`);
  return [
    why.summary,
    `supervisor ${status.state} (${status.current_activity})`,
    ...stale.map((row) => `${row.deliverable_id} is stale: ${row.stale_reason}`),
    ...last,
  ].join('\n    ');
}
