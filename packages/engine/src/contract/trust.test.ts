/** Trust of a repository: who may give it, what is told of it, and what an agent's start carries. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestDaemon } from '../test-daemon.ts';
import {
  by,
  contractInput,
  eventsOf,
  newContract,
  openTestEngine,
  personOf,
  refusal,
  runJobs,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { directiveStage, spawned, stage } from '../test-stage.ts';
import { createContract } from './create.ts';
import { addRepository, listRepositories } from './repositories.ts';
import { trustRepository } from './trust.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(async () => {
  expect(await brokenInvariants(t)).toEqual({});
  await t.close();
});

const set = (id: string, repositoryId: string, trusted: boolean, who = t.owner) =>
  trustRepository(t.engine, by(who), { id, repositoryId, trusted });
const audits = async (id: string): Promise<unknown[]> =>
  (await t.database.sql`select action from audit where target_id = ${id} order by id`).map(
    (row) => row['action'],
  );
const trustEvents = async (contractId: string): Promise<string[]> =>
  (await eventsOf(t, contractId))
    .map(({ type }) => type)
    .filter((type) => type.endsWith('trusted'));

describe('a repository', () => {
  it('is trusted by nobody until an owner says so; each word is told and audited once', async () => {
    const contract = await newContract(t, { start: false });
    const { id } = contract;
    const [repository] = contract.repositories;
    expect(repository).toMatchObject({ trusted: false, trustedBy: null, trustedAt: null });
    const repositoryId = repository?.id ?? '';
    const trusted = (await set(id, repositoryId, true)).result;
    expect(trusted).toMatchObject({ trusted: true, trustedBy: t.owner.name });
    expect((await set(id, repositoryId, true)).result).toEqual(trusted);
    expect((await listRepositories(t.engine, t.owner, { id })).items).toEqual([trusted]);
    expect((await set(id, repositoryId, false)).result).toEqual(repository);
    await set(id, repositoryId, false);
    expect(await trustEvents(id)).toEqual(['repository.trusted', 'repository.distrusted']);
    expect(await audits(repositoryId)).toEqual(['repository.trust', 'repository.distrust']);
  });

  it('is trusted by an owner only, however it is asked for', async () => {
    const member = await personOf(t, { role: 'member' });
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    const repositoryId = scene.contract.repositories[0]?.id ?? '';
    const place = { localPath: '/srv/theirs', trusted: true };
    for (const who of [member, scene.supervisor, { ...t.owner, scopes: ['write'] as const }]) {
      const tries = [
        () => trustRepository(t.engine, by(who), { id, repositoryId, trusted: true }),
        () => addRepository(t.engine, by(who), { id, ...place }),
        () => createContract(t.engine, by(who), contractInput({ repositories: [place] })),
      ];
      for (const one of tries) expect((await refusal(one())).code).toBe('FORBIDDEN');
    }
    expect((await listRepositories(t.engine, t.owner, { id })).items).toHaveLength(1);
    expect(await trustEvents(id)).toEqual([]);
    await addRepository(t.engine, by(member), { id, localPath: '/srv/theirs' });
  });

  it('is found in its own contract alone', async () => {
    const [one, other] = [
      await newContract(t, { start: false }),
      await newContract(t, { start: false }),
    ];
    const foreign = set(one.id, other.repositories[0]?.id ?? '', true);
    expect((await refusal(foreign)).code).toBe('NOT_FOUND');
  });

  it('may be trusted from the first day', async () => {
    const place = { localPath: '/srv/mine', trusted: true };
    const contract = await newContract(t, { start: false, repositories: [place] });
    expect(contract.repositories).toMatchObject([{ trusted: true, trustedBy: t.owner.name }]);
    expect(await trustEvents(contract.id)).toEqual(['repository.trusted']);
    const { result } = await addRepository(t.engine, by(t.owner), {
      id: contract.id,
      localPath: '/srv/too',
      trusted: true,
    });
    expect(result.trusted).toBe(true);
    expect(await audits(result.id)).toEqual(['repository.trust']);
  });
});

describe('the start of an agent', () => {
  const startOf = async (taskId: string) => {
    await runJobs(t);
    return (await daemon.pullOnly('task.start')).find((command) => command.taskId === taskId);
  };

  it('carries trust as it is then, and of its own repository', async () => {
    const scene = await stage(t, { daemon });
    const { id } = scene.contract;
    const repositoryId = scene.contract.repositories[0]?.id ?? '';
    const wary = daemon.commands.find(
      (command) => command.kind === 'task.start' && command.taskId === scene.supervisorTaskId,
    );
    expect(wary).not.toHaveProperty('trusted');
    await addRepository(t.engine, by(t.owner), { id, localPath: '/srv/other', name: 'other' });
    await set(id, repositoryId, true);
    const [mine, others] = [await spawned(scene), await spawned(scene, { repositoryUrl: 'other' })];
    await runJobs(t);
    const starts = await daemon.pullOnly('task.start');
    const of = (taskId: string) => starts.find((command) => command.taskId === taskId);
    expect(of(mine.id)).toHaveProperty('trusted', true);
    expect(of(others.id)).not.toHaveProperty('trusted');
    await set(id, repositoryId, false);
    expect(await startOf((await spawned(scene)).id)).not.toHaveProperty('trusted');
  });

  it('of a directive is never trusted, nor of another contract with the same place', async () => {
    const place = { localPath: '/srv/shared', trusted: true };
    await newContract(t, { repositories: [place] });
    const other = await newContract(t, { repositories: [{ localPath: place.localPath }] });
    expect(await startOf(other.supervisorTaskId ?? '')).not.toHaveProperty('trusted');
    const { start } = await directiveStage(t, daemon, { localPath: place.localPath });
    expect(start).not.toHaveProperty('trusted');
  });
});
