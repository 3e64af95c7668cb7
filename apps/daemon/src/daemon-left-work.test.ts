/** A daemon that was killed tells the ends at once; what its agents left is put aside when nobody goes on with it. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Command } from '@makima/contracts/socket/commands';
import { asAgent } from './git/test-repository.ts';
import type { TestDaemon } from './test/daemon-process.ts';
import type { FakeGateway } from './test/gateway.ts';
import { openGitScene, type GitScene } from './test/git-scene.ts';

let scene: GitScene;
let gateway: FakeGateway;
let daemon: TestDaemon;
beforeAll(async () => {
  scene = await openGitScene();
  ({ gateway, daemon } = scene);
});
afterAll(() => scene.drop());

const task: GitScene['task'] = (steps, more) => scene.task(steps, more);

/** A commit, and a file beside it. */
const writes =
  '- write:\n    file: a.txt\n    content: one\n- commit: first\n- write:\n    file: b.txt\n    content: left\n';

async function storeGit(...args: string[]): Promise<string> {
  const stores = join(daemon.home, 'git', 'stores');
  const [name = ''] = (await readdir(stores)).filter((entry) => entry.endsWith('.git'));
  return asAgent(join(stores, name), '--git-dir=.', ...args);
}

it('killed: tells the end before anything is put aside, and keeps what nobody goes on with', async () => {
  const start = task(`${writes}- say: ready\n- sleep: 600000`);
  const { taskId, attempt, repository } = start;
  gateway.command(start);
  await gateway.until('ready', () => gateway.lines(start).some((line) => line.content === 'ready'));
  await daemon.end('SIGKILL');
  await daemon.start();
  const restarted = { outcome: 'daemon_restarted', commitSha: null, keptRef: null };
  expect(await gateway.ended(start)).toMatchObject(restarted);
  expect(await storeGit('for-each-ref', 'refs/makima/')).toBe('');

  // Whoever needs it before takes it over: a merge the commits, a task that continues from it the files too.
  const operationId = randomUUID();
  gateway.command({
    kind: 'branch.merge',
    operationId,
    taskId,
    attempt,
    repository,
    targetBranch: 'makima/fix-it',
    squash: false,
    message: 'Merge it',
  } as Command);
  const { result } = await gateway.finished(operationId);
  if (result?.kind !== 'branch.merge') throw new Error('it was not merged');
  expect(await storeGit('show', `${result.commitSha}:a.txt`)).toBe('one');
  const next = task('- done: made', { continueFromTaskId: taskId });
  gateway.command(next);
  const { commitSha } = await gateway.ended(next);
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

it('an agent that dies alone: its end first, then its work; the next goes on there, its source away', async () => {
  await daemon.end('SIGKILL');
  await daemon.start({ leftWorkMs: 0 });
  const alone = task(`${writes}- say: ready\n- sleep: 600000`);
  gateway.command(alone);
  const endsOf = () => gateway.of('task.ended').filter((end) => end.taskId === alone.taskId);
  await gateway.until('ready', () => gateway.lines(alone).some((line) => line.content === 'ready'));
  process.kill(
    Number(daemon.ledger().findLast((line) => line['event'] === 'start')?.['pid']),
    'SIGKILL',
  );
  await gateway.until('both', () => endsOf().length === 2);
  const [died, kept] = endsOf();
  expect(died).toMatchObject({ outcome: 'crashed', signal: 'SIGKILL', keptRef: null });
  expect(await storeGit('show', `${kept?.keptRef}:b.txt`)).toBe('left');
  await rename(scene.place.repo, `${scene.place.repo}-away`);
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
