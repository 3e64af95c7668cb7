/**
 * A house for the tests of what the database itself refuses.
 *
 * Law: written by the statements that makima uses; what is refused is told by the name of its constraint.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { builtinTypes } from '@makima/domain/contract-type';
import type { Database } from './client.ts';
import { insertContract } from './repo/contracts.ts';
import { insertTask } from './repo/tasks.ts';
import type { ContractRow, TaskRow } from './rows.ts';

export interface House {
  readonly ownerId: string;
  readonly userId: string;
  readonly daemonId: string;
  readonly contract: ContractRow;
  readonly task: TaskRow;
}

/** An owner with a person, a machine, a contract and a task. */
export function testHouse(database: Database): Promise<House> {
  return database.sql.begin(async (tx) => {
    const [owner] = await tx<{ id: string }[]>`insert into owners (name) values ('o') returning id`;
    const ownerId = owner?.id ?? '';
    const [user] = await tx<{ id: string }[]>`
      insert into users (owner_id, name, role) values (${ownerId}, 'u', 'owner') returning id`;
    const [daemon] = await tx<{ id: string }[]>`
      insert into daemons (owner_id, name, max_concurrent_tasks) values (${ownerId}, ${randomUUID()}, 4) returning id`;
    const contract = await insertContract(tx, {
      ownerId,
      slug: randomUUID(),
      name: 'c',
      description: 'd',
      contractType: builtinTypes.simple,
      extraDeliverables: [],
      phase: 'plan',
      guardedPhases: ['plan'],
      localOnly: false,
      autoMergeLocal: false,
      allowPullRequests: false,
      permissionMode: 'bypass',
      autoCompleteEnabled: true,
      priority: 0,
      agent: 'scripted',
      model: null,
      parkAfterSeconds: null,
      onLimit: 'resume',
      supervisorPlan: null,
    });
    const task = await insertTask(tx, {
      ownerId,
      contractId: contract.id,
      name: 't',
      plan: 'p',
      agent: 'scripted',
    });
    return { ownerId, userId: user?.id ?? '', daemonId: daemon?.id ?? '', contract, task };
  }) as Promise<House>;
}

export const refused = (work: PromiseLike<unknown>, constraint: string | RegExp): Promise<void> =>
  expect(Promise.resolve(work)).rejects.toMatchObject({
    constraint_name:
      typeof constraint === 'string' ? constraint : expect.stringMatching(constraint),
  });
