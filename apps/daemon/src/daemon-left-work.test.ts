/** A daemon that was killed tells the ends at once; what its agents left is put aside when nobody goes on with it. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { gitTestsInOneScene } from './test/git-scene.ts';

const it = gitTestsInOneScene();

/** A commit, and a file beside it. */
const writes =
  '- write:\n    file: a.txt\n    content: one\n- commit: first\n- write:\n    file: b.txt\n    content: left\n';

it('killed: tells the end before anything is put aside, and keeps what nobody goes on with', async ({
  scene: { gateway, daemon, task, runToEnd, saying, operate, mergeCommand, storeGit },
}) => {
  const start = task(`${writes}- say: ready\n- sleep: 600000`);
  const { taskId, attempt } = start;
  gateway.command(start);
  await saying(start, 'ready');
  await daemon.end('SIGKILL');
  await daemon.start();
  const restarted = { outcome: 'daemon_restarted', commitSha: null, keptRef: null };
  expect(await gateway.ended(start)).toMatchObject(restarted);
  expect(await storeGit('for-each-ref', 'refs/makima/')).toBe('');

  // Whoever needs it before takes it over: a merge the commits, a task that continues from it the files too.
  const merged = await operate(mergeCommand(start));
  expect(await storeGit('show', `${merged.commitSha}:a.txt`)).toBe('one');
  const next = task('- done: made', { continueFromTaskId: taskId });
  const { commitSha } = await runToEnd(next);
  expect(await storeGit('show', `${commitSha}:b.txt`)).toBe('left');

  // The life that has nobody go on names the ref; the next ones find it done.
  await daemon.end('SIGKILL');
  await daemon.start({ leftWorkMs: 0 });
  const ends = () => gateway.of('task.ended').filter((end) => end.taskId === taskId);
  await gateway.until('the ref is named', () => ends().length > 1);
  expect(ends()[1]).toMatchObject({ attempt, outcome: 'crashed' });
  expect(await storeGit('show', `${ends()[1]?.keptRef}:b.txt`)).toBe('left');
  const record = await readFile(join(daemon.home, 'tasks', `${taskId}.json`), 'utf8');
  expect(JSON.parse(record)).toMatchObject({ attempt, collected: true });
});

it('an agent that dies alone: its end first, then its work; the next goes on there, its source away', async ({
  scene: { place, gateway, daemon, task, saying, storeGit },
}) => {
  await daemon.end('SIGKILL');
  await daemon.start({ leftWorkMs: 0 });
  const alone = task(`${writes}- say: ready\n- sleep: 600000`);
  gateway.command(alone);
  const endsOf = () => gateway.of('task.ended').filter((end) => end.taskId === alone.taskId);
  await saying(alone, 'ready');
  process.kill(
    Number(daemon.ledger().findLast((line) => line['event'] === 'start')?.['pid']),
    'SIGKILL',
  );
  await gateway.until('both', () => endsOf().length === 2);
  const [died, kept] = endsOf();
  expect(died).toMatchObject({ outcome: 'crashed', signal: 'SIGKILL', keptRef: null });
  expect(await storeGit('show', `${kept?.keptRef}:b.txt`)).toBe('left');
  await rename(place.repo, `${place.repo}-away`);
  const startSha = 'f'.repeat(40);
  gateway.command({ ...alone, attempt: 2, resumeSession: true, startSha });
  const begun = (attempt: number) =>
    gateway
      .of('task.started')
      .find((one) => one.taskId === alone.taskId && one.attempt === attempt);
  await gateway.until('the next one begins', () => begun(2) !== undefined);
  expect(begun(2)?.worktreePath).toBe(begun(1)?.worktreePath);
  expect(await readFile(join(begun(2)?.worktreePath ?? '', 'b.txt'), 'utf8')).toBe('left');
});

it('retired by the next attempt before it was collected: told of, whoever dies in between, each ref once', async ({
  scene: { place, gateway, daemon, task, saying, storeGit },
}) => {
  await rename(`${place.repo}-away`, place.repo);
  await daemon.end('SIGKILL');
  await daemon.start();
  const first = task(`${writes}- say: ready\n- sleep: 600000`);
  const { taskId } = first;
  const kept = () => gateway.of('task.kept').filter((told) => told.taskId === taskId);
  gateway.command(first);
  await saying(first, 'ready');
  process.kill(
    Number(daemon.ledger().findLast((line) => line['event'] === 'start')?.['pid']),
    'SIGKILL',
  );
  expect(await gateway.ended(first)).toMatchObject({ outcome: 'crashed', keptRef: null });
  const anew = task('- done: made', { taskId, attempt: 2 });
  gateway.command(anew);
  const told = await gateway.until('it is told', () => kept()[0]);
  expect(told).toMatchObject({ attempt: 1, why: 'retired' });
  expect(await storeGit('show', `${told.ref}:b.txt`)).toBe('left');
  await gateway.ended(anew);

  // Kept by a life that died before it had written a word of it.
  const silent = `refs/makima/kept/${taskId}-a2-fenced-2`;
  await daemon.end('SIGKILL');
  await storeGit('update-ref', silent, told.ref);
  await daemon.start();
  await gateway.until('that is told', () => kept().length > 1);
  expect(kept().map(({ ref, attempt, why }) => ({ ref, attempt, why }))).toEqual([
    { ref: told.ref, attempt: 1, why: 'retired' },
    { ref: silent, attempt: 2, why: 'fenced' },
  ]);
});

it('comes back after it ran elsewhere: begins with that work, and what stood here is kept and named', async ({
  scene: { gateway, daemon, task, saying, said, storeGit },
}) => {
  const first = task(`${writes}- say: ready\n- sleep: 600000`, { isSupervisor: true });
  const { taskId } = first;
  gateway.command(first);
  await saying(first, 'ready');
  const { pid } = daemon.ledger().findLast((line) => line['event'] === 'start') ?? {};
  const sharing = task('- say: shares\n- sleep: 600000', { supervisorWorktreeTaskId: taskId });
  gateway.command(sharing);
  await saying(sharing, 'shares');
  process.kill(Number(pid), 'SIGKILL');
  await gateway.ended(first);

  const patch = [
    'diff --git a/c.txt b/c.txt',
    'new file mode 100644',
    '--- /dev/null',
    '+++ b/c.txt',
    '@@ -0,0 +1 @@',
    '+of elsewhere',
    String.raw`\ No newline at end of file`,
    '',
  ].join('\n');
  const baseSha = await storeGit('rev-parse', 'makima/fix-it');
  const data = gzipSync(patch).toString('base64');
  gateway.levers.answer = (ask) => {
    if (ask.kind === 'patch') return { data, parts: 1, baseSha };
    if (ask.kind === 'transcript') return { lines: [], nextSeq: null };
    return { key: `mk_tool_${'a'.repeat(60)}` };
  };
  const again = task('- run: [cat, c.txt]\n  as: r\n- say: "read ${r.output}"', {
    taskId,
    attempt: 3,
    isSupervisor: true,
    workAttempt: 2,
    patchCheckpointId: randomUUID(),
    patchBaseSha: baseSha,
  });
  gateway.command(again);
  await saying(again, 'read of elsewhere');
  const told = await gateway.until('it is told', () =>
    gateway.of('task.kept').find((kept) => kept.taskId === taskId),
  );
  expect(told).toMatchObject({ attempt: 1, why: 'retired' });
  expect(await storeGit('show', `${told.ref}:b.txt`)).toBe('left');
  const [stood, stands] = gateway
    .of('task.started')
    .flatMap((one) => (one.taskId === taskId ? [one.worktreePath ?? ''] : []));
  expect(await readdir(stands ?? '')).not.toContain('b.txt');
  // Who shares the former one works on there.
  expect(said(again)).toContain(
    `The directory of an attempt before stays at ${stood}: an agent works there`,
  );
  expect(await readFile(join(stood ?? '', 'b.txt'), 'utf8')).toBe('left');
});

it('goes on in no conversation that is older than its work, however often it could not begin here', async ({
  scene: { gateway, task, saying },
}) => {
  const first = task('- say: ready\n- wait_message:', { isSupervisor: true });
  gateway.command(first);
  await saying(first, 'ready');
  // What was said elsewhere is held by the control plane alone, which has lost it.
  for (const attempt of [3, 4]) {
    const next = { ...first, attempt, workAttempt: 2, resumeSession: true, hasTranscript: true };
    gateway.command(next);
    const end = await gateway.ended(next);
    expect(end).toMatchObject({ outcome: 'start_failed', sessionLost: true });
  }
});

const alone = { repository: null, contractBranch: null };
const writesOne = '- write:\n    file: a.txt\n    content: one\n- done: made';

it('without a repository stays where it is, and is named', async ({
  scene: { gateway, task, runToEnd, said },
}) => {
  const first = task(writesOne, alone);
  await runToEnd(first);
  const again = task('- done: made', { ...alone, taskId: first.taskId, attempt: 2 });
  await runToEnd(again);
  const [stood] = gateway.of('task.started').filter((one) => one.taskId === first.taskId);
  expect(said(again)).toContain(
    `The directory of an attempt before stays at ${stood?.worktreePath}: the task has no repository to keep it in`,
  );
});

it('without a repository goes on with it, wherever it ran since', async ({
  scene: { gateway, task, runToEnd, saying },
}) => {
  const first = task(writesOne, alone);
  await runToEnd(first);
  const script = '- run: [cat, a.txt]\n  as: r\n- say: "read ${r.output}"';
  const { taskId } = first;
  const more = { attempt: 3, isSupervisor: true, workAttempt: 2 };
  const again = task(script, { ...alone, ...more, taskId });
  gateway.command(again);
  await saying(again, 'read one');
});
