/** A daemon that was killed tells the ends at once; what its agents left is put aside when nobody goes on with it. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
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
