/** A merge over two machines: one operation for whoever waits, its commits sent once, and every way it can fail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOf } from '@makima/contracts/socket/commands';
import { readBranch } from '../daemon/branch.ts';
import { readPack } from '../daemon/pack.ts';
import { revokeDaemon } from '../identity/daemons.ts';
import { TestDaemon, sha } from '../test-daemon.ts';
import { by, eventsOf, openTestEngine, refusal, runJobs, type TestEngine } from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { orderedId, spawned, stage, taskRow, type Stage } from '../test-stage.ts';
import { requestMerge } from './merge.ts';
import { readOperation } from './read.ts';

let t: TestEngine;
beforeAll(async () => void (t = await openTestEngine()));
afterAll(() => t.close());

interface Away extends Stage {
  readonly other: TestDaemon;
  readonly taskId: string;
}

/** A task that is done on another machine than its supervisor's. */
async function away(): Promise<Away> {
  const daemon = await TestDaemon.join(t, { slots: 1 });
  const url = 'https://git.example.com/x.git';
  const scene = await stage(t, { daemon, contract: { repositories: [{ repositoryUrl: url }] } });
  const other = await TestDaemon.join(t, { slots: 4 });
  const { id: taskId } = await spawned(scene);
  await runJobs(t);
  const [start] = await other.pullOnly('task.start');
  if (start?.taskId !== taskId) throw new Error('it was not placed on the other machine');
  // Nothing is merged yet: the branch begins where it began on the supervisor's machine.
  expect(start).toMatchObject({ branchStartSha: sha('a') });
  await other.started(start);
  await other.ended(start);
  await runJobs(t);
  await other.pull();
  await daemon.pull();
  return { ...scene, other, taskId };
}

/** This test's machines take no more tasks of others. */
async function leave({ daemon, other }: Away): Promise<void> {
  for (const { id } of [daemon, other])
    await t.database
      .sql`update daemons set status = 'disconnected' where id = ${id} and status = 'connected'`;
}

const merge = ({ supervisor, taskId }: Away, squash = true): Promise<string> =>
  orderedId(requestMerge(t.engine, by(supervisor), { id: taskId, squash }));
/** As the one who ordered it. */
const look = ({ supervisor }: Away, id: string) => readOperation(t.engine, supervisor, { id });

async function sent(scene: Away): Promise<CommandOf<'task.pack'>> {
  const [command, ...more] = await scene.other.pullOnly('task.pack');
  if (command === undefined || more.length > 0) throw new Error('not one pack was asked for');
  return command;
}

const parts = [Buffer.from('one'), Buffer.from('two')];
async function deliver({ other }: Away, operationId: string): Promise<void> {
  for (const [part, bytes] of parts.entries())
    await other.report({
      kind: 'patch.stored',
      operationId,
      part,
      data: bytes.toString('base64'),
    });
  const result = { kind: 'task.pack', commitSha: sha('c'), packParts: 2, bytes: 6 } as const;
  await other.finish(operationId, result);
}

async function storedParts(operationId: string): Promise<number> {
  const rows = await t.database
    .sql`select 1 from checkpoint_patches where operation_id = ${operationId}`;
  return rows.length;
}

describe('a merge of another machine’s work', () => {
  it('sends its commits, then merges them on the contract’s machine', async () => {
    const scene = await away();
    const id = await merge(scene);
    expect(await merge(scene)).toBe(id);
    expect(await scene.daemon.pull()).toEqual([]);
    const pack = await sent(scene);
    expect(pack).toMatchObject({ taskId: scene.taskId, attempt: 1 });
    await deliver(scene, pack.operationId);
    expect(await scene.daemon.pullOnly('branch.merge')).toMatchObject([
      {
        operationId: id,
        taskId: scene.taskId,
        squash: true,
        targetBranch: `makima/${scene.contract.slug}`,
        pack: { operationId: pack.operationId, commitSha: sha('c'), parts: 2 },
      },
    ]);
    expect(await merge(scene)).toBe(id);
    const ask = { operationId: pack.operationId, part: 1 };
    expect(await readPack(t.engine, scene.daemon.principal, ask)).toEqual({
      data: parts[1]?.toString('base64'),
    });
    for (const [daemon, input] of [
      [scene.other, ask],
      [scene.daemon, { ...ask, part: 2 }],
      [scene.daemon, { ...ask, operationId: id }],
    ] as const) {
      const refused = await refusal(readPack(t.engine, daemon.principal, input));
      expect(refused.code).toBe('NOT_FOUND');
    }
    const merged = { success: true, message: 'Merged', commitSha: sha('d'), conflicts: [] };
    await scene.daemon.finish(id, { kind: 'branch.merge', ...merged });
    expect(await look(scene, id)).toMatchObject({ state: 'done', result: { commitSha: sha('d') } });
    expect(await taskRow(t, scene.taskId)).toMatchObject({ status: 'merged' });
    expect(await storedParts(pack.operationId)).toBe(0);
    expect(await brokenInvariants(t)).toEqual({});
    await leave(scene);
  });

  it('fails with what the machine said that could not send', async () => {
    const scene = await away();
    const id = await merge(scene);
    const { operationId } = await sent(scene);
    const error = { code: 'PAYLOAD_TOO_LARGE', message: 'too large', fix: 'by hand' };
    const kind = 'operation.finished';
    await scene.other.report({ kind, operationId, ok: false, result: null, error });
    expect(await look(scene, id)).toMatchObject({ state: 'failed', error });
    const told = await eventsOf(t, scene.contract.id);
    expect(told.at(-1)).toMatchObject({
      type: 'operation.finished',
      data: { operationId: id, ok: false, error: 'too large. by hand' },
    });
    expect(await taskRow(t, scene.taskId)).toMatchObject({ status: 'done' });
    expect(await scene.daemon.pull()).toEqual([]);
    // It may be tried again.
    expect(await merge(scene)).not.toBe(id);
    await leave(scene);
  });

  it('leaves nothing of what was sent when the sending fails in its middle, nor of what comes after', async () => {
    const scene = await away();
    await merge(scene);
    const { operationId } = await sent(scene);
    const data = Buffer.from('half').toString('base64');
    await scene.other.report({ kind: 'patch.stored', operationId, part: 0, data });
    expect(await storedParts(operationId)).toBe(1);
    const error = { code: 'COMMAND_FAILED', message: 'the disk is full', fix: 'make room' };
    const kind = 'operation.finished';
    await scene.other.report({ kind, operationId, ok: false, result: null, error });
    await scene.other.report({ kind: 'patch.stored', operationId, part: 1, data });
    expect(await storedParts(operationId)).toBe(0);
    await leave(scene);
  });

  it('fails when the machine with the commits is revoked, also when it is asked again', async () => {
    const scene = await away();
    const id = await merge(scene);
    await revokeDaemon(t.engine, by(t.owner), { id: scene.other.id });
    expect(await look(scene, id)).toMatchObject({ state: 'failed', error: { code: 'NO_DAEMON' } });
    expect((await refusal(merge(scene))).code).toBe('NO_DAEMON');
    await leave(scene);
  });

  it('fails when the contract’s machine is revoked in its middle; what comes then goes nowhere', async () => {
    const scene = await away();
    const id = await merge(scene);
    const { operationId } = await sent(scene);
    await revokeDaemon(t.engine, by(t.owner), { id: scene.daemon.id });
    await deliver(scene, operationId);
    expect(await look(scene, id)).toMatchObject({ state: 'failed', error: { code: 'NO_DAEMON' } });
    expect(await scene.daemon.pull()).toEqual([]);
    expect(await storedParts(operationId)).toBe(0);
    await leave(scene);
  });
});

describe('the contract’s branch, when its supervisor goes on elsewhere', () => {
  const [one, two, three] = [sha('1'), sha('2'), sha('3')];
  const result = (from: string, to: string, onto?: string) => ({
    kind: 'branch.merge' as const,
    success: true,
    message: 'Merged',
    commitSha: to,
    conflicts: [],
    moved: { from, ...(onto === undefined ? {} : { onto }), changed: ['x.txt'], complete: true },
  });

  /** The work is merged on the first machine, which sends the branch along. */
  async function mergedHere(scene: Away): Promise<string> {
    const id = await merge(scene);
    await deliver(scene, (await sent(scene)).operationId);
    const [command] = await scene.daemon.pullOnly('branch.merge');
    expect(command).toMatchObject({ operationId: id, carry: true });
    expect(command).not.toHaveProperty('contractHead');
    const data = Buffer.from('branch').toString('base64');
    for (const part of [0, 1, 0])
      await scene.daemon.report({ kind: 'patch.stored', operationId: id, part, data });
    await scene.daemon.finish(id, result(one, two));
    return id;
  }

  /** Its machine is away, so the supervisor starts on the other one. */
  async function movedOn(scene: Away): Promise<CommandOf<'task.start'>> {
    const of = { taskId: scene.supervisorTaskId, attempt: 1 };
    await scene.daemon.report({ kind: 'transcript.stored', ...of, fromSeq: 1, lines: ['{}'] });
    await scene.daemon.ended(of, { outcome: 'crashed' });
    await t.database.sql`update daemons set status = 'disconnected' where id = ${scene.daemon.id}`;
    await runJobs(t);
    const [start] = await scene.other.pullOnly('task.start');
    if (start?.taskId !== scene.supervisorTaskId) throw new Error('it found no other place');
    await scene.other.started(start);
    return start;
  }

  it('is named with its head, and is carried there by what came with the last merge', async () => {
    const scene = await away();
    const operationId = await mergedHere(scene);
    const contractId = scene.contract.id;
    const branch = `makima/${scene.contract.slug}`;
    const contractHead = { contractId, branch, commitSha: two };
    const moved = await movedOn(scene);
    expect(moved).toMatchObject({ attempt: 2, contractHead });
    expect(moved).not.toHaveProperty('branchStartSha');
    // Its conversation goes on: it is told what it finds there, which is not what it left.
    expect(moved.messages.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^\[Moved\].*the contract's branch as it stands now/),
    );
    const ask = { contractId, commitSha: two };
    // The part that came again has voided what was sent before.
    expect(await readBranch(t.engine, scene.other.principal, ask)).toEqual({
      commitSha: two,
      operationId,
      parts: 1,
    });
    const part = { operationId, part: 0 };
    expect(await readPack(t.engine, scene.other.principal, part)).toEqual({
      data: Buffer.from('branch').toString('base64'),
    });
    const stranger = await TestDaemon.join(t);
    const elsewhere = { contractId, commitSha: three };
    for (const refused of [
      () => readBranch(t.engine, stranger.principal, ask),
      () => readPack(t.engine, stranger.principal, part),
      () => readBranch(t.engine, scene.other.principal, elsewhere),
    ])
      expect((await refusal(refused())).code).toBe('NOT_FOUND');
    // The next merge is made there, from there; what carried the branch before is of no more use.
    const again = await orderedId(
      requestMerge(t.engine, by(t.owner), { id: scene.taskId, squash: false }),
    );
    expect(await scene.other.pullOnly('branch.merge')).toMatchObject([
      { operationId: again, contractHead },
    ]);
    await scene.other.finish(again, result(two, three, two));
    expect(await storedParts(operationId)).toBe(0);
    expect(await readBranch(t.engine, scene.other.principal, ask)).toMatchObject({
      commitSha: three,
      parts: 0,
    });
    await leave({ ...scene, daemon: stranger });
  });

  it('is moved by one machine at a time: a merge that the former one owes is over', async () => {
    const scene = await away();
    const former = await merge(scene);
    await deliver(scene, (await sent(scene)).operationId);
    await movedOn(scene);
    const again = await orderedId(
      requestMerge(t.engine, by(t.owner), { id: scene.taskId, squash: true }),
    );
    expect(again).not.toBe(former);
    expect(await look(scene, former)).toMatchObject({
      state: 'failed',
      error: { code: 'CONFLICT', retryable: true, details: { reason: 'branch_elsewhere' } },
    });
    await scene.daemon.connect();
    await scene.daemon.finish(former, result(one, two));
    await scene.other.finish(again, result(one, three));
    const moves = await t.database
      .sql`select to_sha from branch_moves where contract_id = ${scene.contract.id}`;
    expect(moves).toEqual([{ toSha: three }]);
    await leave(scene);
  });
});
