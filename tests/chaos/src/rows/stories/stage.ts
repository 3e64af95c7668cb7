// What the stories of rows share: a contract of their own, waiting for what the rows say, and saying what is wrong.
// Law: waits look past the API, for the API may be what fails.
import { liveAgents, type LiveAgent } from '../../house/agents.ts';
import { found } from '../../pause.ts';
import { planOf, repositoryAt, type Started } from '../../scenario.ts';
import type { RowStage } from '../row.ts';

export const patienceMs = 60_000;

export interface Told extends Started {
  readonly supervisorId: string;
}

/** A contract led by these steps. It completes by itself once the steps have brought it to its end. */
export async function tellOf(
  { house, operations }: RowStage,
  name: string,
  steps: readonly unknown[],
  extra: { readonly phaseGuard?: string[]; readonly repositoryUrl?: string } = {},
): Promise<Told> {
  const repo = repositoryAt(house.dir, name);
  const { repositoryUrl, phaseGuard = false } = extra;
  const contract = await house.client.call('createContract', {
    body: {
      name,
      description: 'A story.',
      contractType: 'simple',
      repositories: [repositoryUrl === undefined ? { localPath: repo } : { repositoryUrl }],
      phaseGuard,
      autoCompleteEnabled: false,
      agent: 'scripted',
      supervisorPlan: planOf(steps),
    },
  });
  operations.contractCreated(contract.id);
  return {
    id: contract.id,
    slug: contract.slug,
    repo,
    supervisorId: contract.supervisorTaskId ?? '',
  };
}

/** Both phases handed in: the end of a story's contract. */
export const finish: readonly unknown[] = [
  { write: { file: 'PLAN.md', content: '# Plan\n' } },
  { commit: 'The plan' },
  { merge: { task: '${task}' } },
  { deliverable: { id: 'plan-document', evidence: [{ kind: 'file', path: 'PLAN.md' }] } },
  { advance: 'execute' },
  { deliverable: { id: 'implementation', evidence: [{ kind: 'file', path: 'PLAN.md' }] } },
  { done: 'It is done.' },
];

/** Waits for the first row of a query; says what never came. */
export async function untilRow<T extends object>(
  { verdict }: RowStage,
  what: string,
  query: () => PromiseLike<readonly T[]>,
  withinMs = patienceMs,
): Promise<T | undefined> {
  const row = await found(async () => (await Promise.resolve(query()).catch(() => []))[0], {
    withinMs,
    everyMs: 100,
  });
  if (row === undefined) verdict.broken.push(`${what} never came`);
  return row;
}

export function untilEvent(
  stage: RowStage,
  { id }: Started,
  type: string,
  count = 1,
): Promise<object | undefined> {
  return untilRow(
    stage,
    `${type} (${count})`,
    () => stage.house.sql`
      select 1 from events where contract_id = ${id} and type = ${type} having count(*) >= ${count}`,
  );
}

/** The living agent of a task, of this attempt or a later one, once it works. */
export function agentOf(
  { house }: RowStage,
  task: string,
  attempt = 1,
): Promise<LiveAgent | undefined> {
  return found(
    () => liveAgents(house.ledger).find((one) => one.task === task && one.attempt >= attempt),
    { withinMs: patienceMs },
  );
}

export function killNow(agent: LiveAgent | undefined): void {
  if (agent !== undefined) process.kill(agent.pid, 'SIGKILL');
}
