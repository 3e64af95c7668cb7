/** Commands that ask for git work, on real repositories. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { asAgent, makeRepository, writeFiles } from './git/test-repository.ts';
import { createTestDaemon } from './test/daemon-process.ts';
import { gitTests } from './test/git-scene.ts';

const it = gitTests();

describe("a daemon's work in repositories", () => {
  it('asks for the commits of another machine until the control plane is back, and merges them', async ({
    scene: { gateway, repository, task, runToEnd, operate, mergeCommand },
  }) => {
    const start = task(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- done: made',
    );
    await runToEnd(start);
    const { taskId, attempt } = start;
    const pack = await operate({ kind: 'task.pack', taskId, attempt, repository });
    const [part] = gateway.of('patch.stored');
    let asked = 0;
    gateway.levers.answer = () => {
      asked += 1;
      if (asked < 3) gateway.cut();
      return { data: part?.data ?? '' };
    };
    const parts = { operationId: randomUUID(), commitSha: pack.commitSha, parts: pack.packParts };
    // The next one of the same branch waits for nothing itself, and is told after it all the same.
    const [merge, next] = await Promise.all([
      operate(mergeCommand(start, { pack: parts })),
      operate(mergeCommand(start)),
    ]);
    expect(merge).toMatchObject({ success: true, conflicts: [], moved: { changed: ['a.txt'] } });
    expect(next).toMatchObject({ success: true, commitSha: merge.commitSha });
    expect(next).not.toHaveProperty('moved');
    const told = gateway.of('operation.finished').map(({ result }) => result);
    expect(told.slice(-2)).toEqual([merge, next]);
    expect(asked).toBe(3);
  });

  it('takes commits and leftovers over, merges them, and delivers the branch', async ({
    scene: { place, repository, task, runToEnd, operate, mergeCommand, storeGit },
  }) => {
    const start = task(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- write:\n    file: b.txt\n    content: left\n- done: made',
      { name: 'Make files' },
    );
    const ended = await runToEnd(start);
    expect(ended).toMatchObject({ outcome: 'done', keptRef: null });
    const sha = ended.commitSha ?? '';
    expect(await storeGit('log', '--format=%s', sha)).toBe('Make files\nfirst\nFirst');
    expect(await storeGit('show', `${sha}:b.txt`)).toBe('left');
    const { taskId, attempt } = start;
    const diff = await operate({ kind: 'task.diff', taskId, attempt });
    expect(diff.files.map((file) => file.path)).toEqual(['a.txt', 'b.txt']);
    expect(diff.stats).toEqual({ filesChanged: 2, insertions: 2, deletions: 0 });
    const merge = await operate(mergeCommand(start));
    expect(merge).toMatchObject({ success: true, conflicts: [] });
    const check = {
      kind: 'evidence.check',
      repository,
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
      repository,
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

  it('makes a checkpoint under a running agent, whose patch builds the files elsewhere', async ({
    scene: { gateway, daemon, task, runToEnd, said, saying, operate },
  }) => {
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
      expect((await runToEnd(again)).outcome).toBe('done');
      expect(said(again)).toContain('read one');
    } finally {
      await other.drop();
    }
  });

  it('takes a supervisor back to a checkpoint in a new directory; what came after it keeps a name', async ({
    scene: { gateway, task, saying, operate, storeGit },
  }) => {
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

  it('keeps the work of an agent that is stopped or fenced', async ({
    scene: { gateway, task, saying, storeGit },
  }) => {
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

  it('names nothing as kept that was merged, as it is or as one commit', async ({
    scene: { gateway, task, saying, operate, mergeCommand },
  }) => {
    for (const squash of [false, true]) {
      const start = task(
        `- write:\n    file: merged-${squash}.txt\n    content: all\n- commit: all of it\n- say: ready\n- wait_message:`,
        { isSupervisor: true },
      );
      gateway.command(start);
      await saying(start, 'ready');
      expect(await operate(mergeCommand(start, { squash }))).toMatchObject({ success: true });
      const { taskId, attempt } = start;
      gateway.command({ kind: 'task.stop', taskId, attempt, reason: 'completed', graceMs: 300 });
      expect(await gateway.ended(start)).toMatchObject({ outcome: 'stopped', keptRef: null });
      const clean = await operate({ kind: 'workdir.clean', taskId, attempt });
      expect(clean.keptRefs, `squash: ${squash}`).toEqual([]);
    }
  });

  it('answers a conflict with both sides, and a repeated operation with the same', async ({
    scene: { gateway, task, operate, mergeCommand },
  }) => {
    const ours = task('- write:\n    file: a.txt\n    content: ours\n- commit: o');
    const theirs = task('- write:\n    file: a.txt\n    content: theirs\n- commit: t');
    for (const start of [ours, theirs]) gateway.command(start);
    await Promise.all([gateway.ended(ours), gateway.ended(theirs)]);
    expect(await operate(mergeCommand(ours))).toMatchObject({ success: true });
    const second = mergeCommand(theirs);
    gateway.command(second);
    const conflict = await gateway.finished(second.operationId);
    expect(conflict.ok).toBe(true);
    expect(conflict.result).toMatchObject({ success: false, conflicts: [{ path: 'a.txt' }] });
    gateway.command(second);
    const { operationId } = second;
    const answers = await gateway.until('the same again', () => {
      const found = gateway.of('operation.finished').filter((r) => r.operationId === operationId);
      return found.length === 2 && found;
    });
    expect(answers[1]).toEqual(answers[0]);
  });

  it('makes a branch where the work of a living agent stands, and refuses one that is taken', async ({
    scene: { gateway, repository, task, saying, operate, storeGit },
  }) => {
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
      repository,
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

  it('hands work over as a branch: in the store, in its repository, in another one', async ({
    scene: { place, repository, task, runToEnd, operate, storeGit },
  }) => {
    const start = task('- write:\n    file: a.txt\n    content: one\n- commit: first');
    const { commitSha } = await runToEnd(start);
    const other = join(place.root, 'other');
    await makeRepository(other, { 'README.md': 'another' });
    const handOver = (branch: string, toPath: string | null, from: 'task' | 'branch' = 'task') =>
      operate({
        kind: 'branch.hand_over',
        taskId: start.taskId,
        attempt: 1,
        repository,
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

  it('fails loudly: an operation that cannot be done, a repository that is not there', async ({
    scene: { place, daemon, task, runToEnd, operate },
  }) => {
    await expect(operate({ kind: 'task.diff', taskId: randomUUID(), attempt: 1 })).rejects.toThrow(
      /NOT_FOUND/,
    );
    const start = task('- say: never', {
      repository: { url: null, path: join(place.root, 'nowhere'), baseBranch: null },
    });
    expect(await runToEnd(start)).toMatchObject({ outcome: 'start_failed', permanent: true });
    const hostile = task('- say: never', {
      repository: { url: 'ext::sh -c touch% pwned', path: null, baseBranch: null },
    });
    expect(await runToEnd(hostile)).toMatchObject({ outcome: 'start_failed' });
    expect(daemon.ledger()).toEqual([]);
  });

  it("works in the supervisor's directory when asked, and in a directory of its own otherwise", async ({
    scene: { gateway, task, said, saying },
  }) => {
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
    expect(said(sharing)).toContain('read from the top');
    expect(gateway.lines(apart).some((line) => line.content.includes('s.txt'))).toBe(false);
  });

  it('sees new commits of the base for a new contract, and copies what is asked for', async ({
    scene: { place, task, runToEnd, said, storeGit },
  }) => {
    const first = task('- say: x');
    await runToEnd(first);
    await writeFiles(place.repo, { 'new.txt': 'new', '.env': 'SECRET=1' });
    await asAgent(place.repo, 'add', 'new.txt');
    await asAgent(place.repo, 'commit', '-q', '-m', 'Second');
    const second = task('- run: [sh, -c, "cat new.txt .env"]\n  as: r\n- say: "read ${r.output}"', {
      contractSlug: 'other',
      contractBranch: 'makima/other',
      copyFiles: ['.env'],
    });
    const ended = await runToEnd(second);
    expect(ended.outcome).toBe('done');
    expect(said(second)).toContain('read newSECRET=1');
    expect(await storeGit('ls-tree', '--name-only', ended.commitSha ?? '')).not.toContain('.env');
  });
});
