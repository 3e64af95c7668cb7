/** Whether agents ask before they act: chosen by people, tightened by supervisors, loosened by nobody below. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PermissionMode } from '@makima/domain/permission-mode';
import { patchContract } from '../contract/patch.ts';
import { TestDaemon } from '../test-daemon.ts';
import { by, newContract, openTestEngine, runJobs, type TestEngine } from '../test-engine.ts';
import { running, spawned, stage } from '../test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(() => t.close());

describe('the permission mode', () => {
  it('of a contract is that of its supervisor, bypass unless said otherwise', async () => {
    const quiet = await newContract(t);
    const asks = await newContract(t, { permissionMode: 'ask' });
    expect([quiet.permissionMode, asks.permissionMode]).toEqual(['bypass', 'ask']);
    await runJobs(t);
    const starts = await daemon.pullOnly('task.start');
    const modeOf = (id: string) => starts.find((start) => start.contractId === id)?.permissionMode;
    expect([modeOf(quiet.id), modeOf(asks.id)]).toEqual(['bypass', 'ask']);
  });

  it.each<[PermissionMode, PermissionMode | undefined, PermissionMode]>([
    ['bypass', undefined, 'bypass'],
    ['bypass', 'ask', 'ask'],
    ['ask', undefined, 'ask'],
    ['ask', 'bypass', 'ask'],
  ])('of a contract that says %s and a spawn that says %s is %s', async (contract, spawn, mode) => {
    const scene = await stage(t, { daemon, contract: { permissionMode: contract } });
    const input = spawn === undefined ? {} : { permissionMode: spawn };
    expect((await spawned(scene, input)).permissionMode).toBe(mode);
    expect((await running(scene, input)).permissionMode).toBe(mode);
  });

  it('changed by a person holds for what is started from then on', async () => {
    const scene = await stage(t, { daemon });
    const before = await spawned(scene);
    const { result } = await patchContract(t.engine, by(t.owner), {
      id: scene.contract.id,
      permissionMode: 'ask',
    });
    expect(result.permissionMode).toBe('ask');
    await runJobs(t);
    const start = (await daemon.pullOnly('task.start')).find((c) => c.taskId === before.id);
    expect(start?.permissionMode).toBe('ask');
  });
});
