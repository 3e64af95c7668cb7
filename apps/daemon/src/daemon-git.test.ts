/** Commands that ask for git work, on real repositories. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command, TaskStart } from '@makima/contracts/socket/commands';
import type { Running } from '@makima/contracts/socket/frames';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { asAgent, makeRepository, writeFiles, type Place } from './git/test-repository.ts';
import { createTestDaemon, type TestDaemon } from './test/daemon-process.ts';
import type { FakeGateway } from './test/gateway.ts';
import { openGitScene, type GitScene } from './test/git-scene.ts';

type Result<K> = Extract<OperationResult, { kind: K }>;
type Operation = Extract<Command, { operationId: string }>;
type WithoutId<T> = T extends unknown ? Omit<T, 'operationId'> : never;

describe("a daemon's work in repositories", () => {
  let scene: GitScene;
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  let place: Place;
  beforeEach(async () => {
    scene = await openGitScene();
    ({ gateway, daemon, place } = scene);
  });
  afterEach(() => scene.drop());

  const task: GitScene['task'] = (steps, more) => scene.task(steps, more);
  const operate = async <K extends Operation['kind']>(
    command: WithoutId<Extract<Operation, { kind: K }>> & { kind: K },
  ): Promise<Result<K>> => {
    const operationId = randomUUID();
    gateway.command({ ...command, operationId } as unknown as Command);
    const finished = await gateway.finished(operationId);
    if (!finished.ok) throw new Error(`${finished.error?.code}: ${finished.error?.message}`);
    return finished.result as Result<K>;
  };
  const storeGit = async (...args: string[]): Promise<string> => {
    const stores = join(daemon.home, 'git', 'stores');
    const { readdir } = await import('node:fs/promises');
    const [name = ''] = (await readdir(stores)).filter((entry) => entry.endsWith('.git'));
    return asAgent(join(stores, name), '--git-dir=.', ...args);
  };
  const saying = (of: Running, words: string): Promise<boolean> =>
    gateway.until(words, () => gateway.lines(of).some((line) => line.content === words));

  it('asks for the commits of another machine until the control plane is back, and merges them', async () => {
    const start = task(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- done: made',
    );
    gateway.command(start);
    await gateway.ended(start);
    const { taskId, attempt } = start;
    const pack = await operate({
      kind: 'task.pack',
      taskId,
      attempt,
      repository: scene.repository,
    });
    const [part] = gateway.of('patch.stored');
    let asked = 0;
    gateway.levers.answer = () => {
      asked += 1;
      if (asked < 3) gateway.cut();
      return { data: part?.data ?? '' };
    };
    const wanted = {
      kind: 'branch.merge',
      taskId,
      attempt,
      repository: scene.repository,
      targetBranch: 'makima/fix-it',
      squash: false,
      message: 'Merge it',
    } as const;
    const parts = { operationId: randomUUID(), commitSha: pack.commitSha, parts: pack.packParts };
    // The next one of the same branch waits for nothing itself, and is told after it all the same.
    const [merge, next] = await Promise.all([operate({ ...wanted, pack: parts }), operate(wanted)]);
    expect(merge).toMatchObject({ success: true, conflicts: [], moved: { changed: ['a.txt'] } });
    expect(next).toMatchObject({ success: true, commitSha: merge.commitSha });
    expect(next).not.toHaveProperty('moved');
    const told = gateway.of('operation.finished').map(({ result }) => result);
    expect(told.slice(-2)).toEqual([merge, next]);
    expect(asked).toBe(3);
  });

  it('takes commits and leftovers over, merges them, and delivers the branch', async () => {
    const start = task(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- write:\n    file: b.txt\n    content: left\n- done: made',
      { name: 'Make files' },
    );
    gateway.command(start);
    const ended = await gateway.ended(start);
    expect(ended).toMatchObject({ outcome: 'done', keptRef: null });
    const sha = ended.commitSha ?? '';
    expect(await storeGit('log', '--format=%s', sha)).toBe('Make files\nfirst\nFirst');
    expect(await storeGit('show', `${sha}:b.txt`)).toBe('left');
    const { taskId, attempt } = start;
    const diff = await operate({ kind: 'task.diff', taskId, attempt });
    expect(diff.files.map((file) => file.path)).toEqual(['a.txt', 'b.txt']);
    expect(diff.stats).toEqual({ filesChanged: 2, insertions: 2, deletions: 0 });
    const merge = await operate({
      kind: 'branch.merge',
      taskId,
      attempt,
      repository: scene.repository,
      targetBranch: 'makima/fix-it',
      squash: false,
      message: 'Merge it',
    });
    expect(merge).toMatchObject({ success: true, conflicts: [] });
    const check = {
      kind: 'evidence.check',
      repository: scene.repository,
      branch: 'makima/fix-it',
      path: null,
      command: null,
      timeoutMs: 10_000,
    } as const;
    expect(await operate({ ...check, path: 'b.txt' })).toMatchObject({ holds: true });
    expect(await operate({ ...check, path: 'c.txt' })).toMatchObject({ holds: false });
    expect(await operate({ ...check, command: ['cat', 'a.txt'] })).toMatchObject({
      holds: true,
      exitCode: 0,
      output: 'one',
    });
    expect(await operate({ ...check, command: ['false'] })).toMatchObject({
      holds: false,
      exitCode: 1,
    });
    const delivered = await operate({
      kind: 'branch.deliver',
      contractId: randomUUID(),
      repository: scene.repository,
      branch: 'makima/fix-it',
      fastForwardBase: true,
    });
    expect(delivered).toMatchObject({ commitSha: merge.commitSha, baseMoved: true });
    expect(await readFile(join(place.repo, 'b.txt'), 'utf8')).toBe('left');
    expect(await operate({ kind: 'workdir.clean', taskId, attempt })).toMatchObject({
      keptRefs: [],
    });
    expect((await operate({ kind: 'task.diff', taskId, attempt })).files).toHaveLength(2);
  });

  it('makes a checkpoint under a running agent, whose patch builds the files elsewhere', async () => {
    const start = task(
      '- write:\n    file: a.txt\n    content: one\n- say: ready\n- wait_message:\n- done: x',
    );
    gateway.command(start);
    await saying(start, 'ready');
    const { taskId, attempt } = start;
    const made = await operate({
      kind: 'task.checkpoint',
      taskId,
      attempt,
      number: 1,
      message: 'Half way',
    });
    expect(made).toMatchObject({ filesChanged: 1, linesAdded: 1, patchParts: 1 });
    const parts = gateway.of('patch.stored').map((report) => Buffer.from(report.data, 'base64'));
    expect(gunzipSync(Buffer.concat(parts)).toString()).toContain('a.txt');

    const other = await createTestDaemon({ gatewayUrl: gateway.url });
    await daemon.end('SIGKILL');
    gateway.levers.answer = (ask) => {
      if (ask.kind === 'tool-key') return { key: `mk_tool_${'a'.repeat(60)}` };
      if (ask.kind !== 'patch') throw new Error('not known');
      const data = parts[ask.part]?.toString('base64') ?? '';
      return { data, parts: parts.length, baseSha: made.baseSha };
    };
    await other.start();
    try {
      const again = task('- run: [cat, a.txt]\n  as: r\n- say: "read ${r.output}"', {
        taskId: randomUUID(),
        patchCheckpointId: randomUUID(),
        patchBaseSha: made.baseSha,
      });
      gateway.command(again);
      expect((await gateway.ended(again)).outcome).toBe('done');
      expect(gateway.lines(again).map((line) => line.content)).toContain('read one');
    } finally {
      await other.drop();
    }
  });

  it('takes a supervisor back to a checkpoint in a new directory; what came after it keeps a name', async () => {
    const write = (content: string): string =>
      `- write:\n    file: a.txt\n    content: ${content}\n- say: wrote ${content}`;
    const start = task(`${write('one')}\n- wait_message:\n${write('two')}\n- wait_message:`, {
      isSupervisor: true,
    });
    gateway.command(start);
    await saying(start, 'wrote one');
    const { taskId, attempt } = start;
    const message = 'One';
    const checkpoint = { kind: 'task.checkpoint', taskId, attempt, number: 1, message } as const;
    const made = await operate(checkpoint);
    const text = { id: randomUUID(), text: 'on', mode: 'steer' } as const;
    gateway.command({ kind: 'task.message', taskId, attempt, message: text });
    await saying(start, 'wrote two');
    gateway.command({ kind: 'task.stop', taskId, attempt, reason: 'paused', graceMs: 300 });
    const { keptRef } = await gateway.ended(start);
    const again = task('- run: [cat, a.txt]\n  as: r\n- say: "read ${r.output}"', {
      taskId,
      attempt: 2,
      isSupervisor: true,
      checkpointSha: made.commitSha,
    });
    gateway.command(again);
    await saying(again, 'read one');
    expect(await storeGit('show', `${keptRef}:a.txt`)).toBe('two');
  });

  it('keeps the work of an agent that is stopped or fenced', async () => {
    const steps = '- write:\n    file: a.txt\n    content: half\n- say: ready\n- sleep: 60000';
    const stopped = task(steps);
    const fenced = task(steps);
    for (const start of [stopped, fenced]) gateway.command(start);
    for (const start of [stopped, fenced]) await saying(start, 'ready');
    const stop = { kind: 'task.stop', reason: 'cancelled', graceMs: 300 } as const;
    gateway.command({ ...stop, taskId: stopped.taskId, attempt: 1 });
    gateway.fenced.push({ taskId: fenced.taskId, attempt: 1 });
    for (const start of [stopped, fenced]) {
      const { keptRef, outcome } = await gateway.ended(start);
      expect(keptRef, outcome).toMatch(/^refs\/makima\/kept\//);
      expect(await storeGit('show', `${keptRef}:a.txt`)).toBe('half');
    }
  });

  it('answers a conflict with both sides, and a repeated operation with the same', async () => {
    const ours = task('- write:\n    file: a.txt\n    content: ours\n- commit: o');
    const theirs = task('- write:\n    file: a.txt\n    content: theirs\n- commit: t');
    for (const start of [ours, theirs]) gateway.command(start);
    await Promise.all([gateway.ended(ours), gateway.ended(theirs)]);
    const merge = (start: TaskStart, operationId: string): Command => ({
      kind: 'branch.merge',
      operationId,
      taskId: start.taskId,
      attempt: 1,
      repository: scene.repository,
      targetBranch: 'makima/fix-it',
      squash: false,
      message: 'Merge it',
    });
    const [first, second] = [randomUUID(), randomUUID()];
    gateway.command(merge(ours, first));
    expect((await gateway.finished(first)).result).toMatchObject({ success: true });
    gateway.command(merge(theirs, second));
    const conflict = await gateway.finished(second);
    expect(conflict.ok).toBe(true);
    expect(conflict.result).toMatchObject({ success: false, conflicts: [{ path: 'a.txt' }] });
    gateway.command(merge(theirs, second));
    const answers = await gateway.until('the same again', () => {
      const found = gateway.of('operation.finished').filter((r) => r.operationId === second);
      return found.length === 2 && found;
    });
    expect(answers[1]).toEqual(answers[0]);
  });

  it('makes a branch where the work of a living agent stands, and refuses one that is taken', async () => {
    const supervisor = task(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- say: ready\n- wait_message:',
      { isSupervisor: true },
    );
    gateway.command(supervisor);
    await saying(supervisor, 'ready');
    const command = {
      kind: 'branch.create',
      taskId: supervisor.taskId,
      attempt: 1,
      repository: scene.repository,
      branch: 'makima/fix-it.try',
      fromRef: null,
      contractBranch: 'makima/fix-it',
    } as const;
    const made = await operate(command);
    expect(made).toMatchObject({ branch: 'makima/fix-it.try', created: true });
    expect(await storeGit('show', 'refs/heads/makima/fix-it.try:a.txt')).toBe('one');
    await expect(operate({ ...command, fromRef: 'main' })).rejects.toThrow(/^CONFLICT/);
    await expect(
      operate({ ...command, branch: 'makima/fix-it.x', fromRef: 'none' }),
    ).rejects.toThrow(/^VALIDATION_FAILED/);
  });

  it('hands work over as a branch: in the store, in its repository, in another one', async () => {
    const start = task('- write:\n    file: a.txt\n    content: one\n- commit: first');
    gateway.command(start);
    const { commitSha } = await gateway.ended(start);
    const other = join(place.root, 'other');
    await makeRepository(other, { 'README.md': 'another' });
    const handOver = (branch: string, toPath: string | null, from: 'task' | 'branch' = 'task') =>
      operate({
        kind: 'branch.hand_over',
        taskId: start.taskId,
        attempt: 1,
        repository: scene.repository,
        branch,
        from,
        toPath,
      });
    const branch = 'makima/fix-it.work-a1';
    expect(await handOver(branch, null)).toMatchObject({ branch, commitSha });
    expect(await storeGit('rev-parse', branch)).toBe(commitSha);
    for (const path of [place.repo, other]) {
      expect(await handOver(branch, path)).toMatchObject({ commitSha });
      expect(await asAgent(path, 'show', `${branch}:a.txt`)).toBe('one');
      expect(await asAgent(path, 'status', '--porcelain')).toBe('');
    }
    // The contract's own branch has room beside it.
    expect(await handOver('makima/fix-it', place.repo, 'branch')).toMatchObject({
      branch: 'makima/fix-it',
    });
    await asAgent(other, 'checkout', '--quiet', branch);
    await asAgent(other, 'commit', '--quiet', '--allow-empty', '-m', 'Theirs');
    const refused = await handOver(branch, other);
    expect(refused.commitSha).toBeNull();
    expect(refused.note).toContain(branch);
    await expect(handOver('makima/fix-it.x', join(place.root, 'nowhere'))).rejects.toThrow(
      /GIT_FAILED/,
    );
  });

  it('fails loudly: an operation that cannot be done, a repository that is not there', async () => {
    await expect(operate({ kind: 'task.diff', taskId: randomUUID(), attempt: 1 })).rejects.toThrow(
      /NOT_FOUND/,
    );
    const start = task('- say: never', {
      repository: { url: null, path: join(place.root, 'nowhere'), baseBranch: null },
    });
    gateway.command(start);
    expect(await gateway.ended(start)).toMatchObject({ outcome: 'start_failed', permanent: true });
    const hostile = task('- say: never', {
      repository: { url: 'ext::sh -c touch% pwned', path: null, baseBranch: null },
    });
    gateway.command(hostile);
    expect(await gateway.ended(hostile)).toMatchObject({ outcome: 'start_failed' });
    expect(daemon.ledger()).toEqual([]);
  });

  it("works in the supervisor's directory when asked, and in a directory of its own otherwise", async () => {
    const supervisor = task(
      '- write:\n    file: s.txt\n    content: from the top\n- say: ready\n- wait_message:',
      { isSupervisor: true },
    );
    gateway.command(supervisor);
    await saying(supervisor, 'ready');
    const steps = '- run: [cat, s.txt]\n  as: r\n  allow_failure: true\n- say: "read ${r.output}"';
    const sharing = task(steps, { supervisorWorktreeTaskId: supervisor.taskId });
    const apart = task('- run: [ls]\n  as: r\n- say: "read ${r.output}"');
    for (const start of [sharing, apart]) gateway.command(start);
    expect((await gateway.ended(sharing)).outcome).toBe('done');
    expect((await gateway.ended(apart)).outcome).toBe('done');
    expect(gateway.lines(sharing).map((line) => line.content)).toContain('read from the top');
    expect(gateway.lines(apart).some((line) => line.content.includes('s.txt'))).toBe(false);
  });

  it('sees new commits of the base for a new contract, and copies what is asked for', async () => {
    const first = task('- say: x');
    gateway.command(first);
    await gateway.ended(first);
    await writeFiles(place.repo, { 'new.txt': 'new', '.env': 'SECRET=1' });
    await asAgent(place.repo, 'add', 'new.txt');
    await asAgent(place.repo, 'commit', '-q', '-m', 'Second');
    const second = task('- run: [sh, -c, "cat new.txt .env"]\n  as: r\n- say: "read ${r.output}"', {
      contractSlug: 'other',
      contractBranch: 'makima/other',
      copyFiles: ['.env'],
    });
    gateway.command(second);
    const ended = await gateway.ended(second);
    expect(ended.outcome).toBe('done');
    expect(gateway.lines(second).map((line) => line.content)).toContain('read newSECRET=1');
    expect(await storeGit('ls-tree', '--name-only', ended.commitSha ?? '')).not.toContain('.env');
  });
});
