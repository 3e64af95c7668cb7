/** Where an attempt begins, and a task that works in rounds: on real repositories, with real agents. */
import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { asAgent, commitFiles } from './git/test-repository.ts';
import { gitTests } from './test/git-scene.ts';

const it = gitTests();

/** Says what its directory holds: commits, then the state of files. */
const looks =
  '- run: [sh, -c, "git log --format=%s; git status --porcelain; cat a.txt"]\n  as: r\n- say: "${r.output}"';

describe('a task that continues from another', () => {
  it('has its commits, and what it left uncommitted was made one', async ({
    scene: { task, runToEnd, said },
  }) => {
    const first = task(
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- write:\n    file: b.txt\n    content: left\n- done: made',
      { name: 'Make files' },
    );
    await runToEnd(first);
    const second = task(looks, { continueFromTaskId: first.taskId });
    expect((await runToEnd(second)).outcome).toBe('done');
    expect(said(second)).toContain('Make files\nfirst\nFirst\none');
  });

  it('that failed, or was stopped, has what was left uncommitted in its directory', async ({
    scene: { gateway, daemon, task, runToEnd, said, saying },
  }) => {
    const steps =
      '- write:\n    file: a.txt\n    content: one\n- commit: first\n- write:\n    file: b.txt\n    content: left\n- say: ready\n';
    const failed = task(`${steps}- fail: no way`);
    const stopped = task(`${steps}- sleep: 60000`);
    const lost = task(`${steps}- sleep: 60000`);
    for (const start of [failed, stopped, lost]) gateway.command(start);
    for (const start of [failed, stopped, lost]) await saying(start, 'ready');
    const stop = { kind: 'task.stop', reason: 'cancelled', graceMs: 300 } as const;
    gateway.command({ ...stop, taskId: stopped.taskId, attempt: 1 });
    await Promise.all([gateway.ended(failed), gateway.ended(stopped)]);
    await daemon.end('SIGKILL');
    await daemon.start();
    await gateway.ended(lost);
    for (const { taskId } of [failed, stopped, lost]) {
      const next = task(looks, { continueFromTaskId: taskId });
      expect((await runToEnd(next)).outcome).toBe('done');
      expect(said(next)).toContain('first\nFirst\n?? b.txt\none');
    }
  });

  it('that did nothing begins where that one began', async ({
    scene: { task, runToEnd, said },
  }) => {
    const first = task('- fail: no way');
    await runToEnd(first);
    const second = task('- run: [git, log, "--format=%s"]\n  as: r\n- say: "${r.output}"', {
      continueFromTaskId: first.taskId,
    });
    expect((await runToEnd(second)).outcome).toBe('done');
    expect(said(second)).toContain('First\n');
  });

  it('whose work is not here does not begin from something else', async ({
    scene: { daemon, task, runToEnd },
  }) => {
    const start = task('- say: never', { continueFromTaskId: randomUUID() });
    const end = await runToEnd(start);
    expect(end).toMatchObject({ outcome: 'start_failed' });
    expect(end.error).toContain('The work of the task to continue from is not on this machine');
    expect(end.permanent).toBeUndefined();
    expect(daemon.ledger()).toEqual([]);
  });
});

describe('a task that begins at a branch or commit of the source', () => {
  it('begins there, also when the branch is new', async ({
    scene: { place, task, runToEnd, said },
  }) => {
    const first = task('- say: x');
    await runToEnd(first);
    await asAgent(place.repo, 'checkout', '-q', '-b', 'release-2');
    const sha = await commitFiles(place.repo, { 'a.txt': 'of the release' }, 'Release');
    await asAgent(place.repo, 'checkout', '-q', 'main');
    const branch = task(looks, { startBranch: 'release-2' });
    const commit = task(looks, { startSha: sha });
    for (const start of [branch, commit]) {
      expect((await runToEnd(start)).outcome).toBe('done');
      expect(said(start)).toContain('Release\nFirst\nof the release');
    }
  });

  it.for(['nowhere', '--upload-pack=touch pwned', '../../etc', 'HEAD^{tree}'])(
    'does not begin when there is no branch %j',
    async (startBranch, { scene: { daemon, task, runToEnd } }) => {
      const start = task('- say: never', { startBranch });
      expect(await runToEnd(start)).toMatchObject({ outcome: 'start_failed' });
      expect(daemon.ledger()).toEqual([]);
    },
  );

  it('says that another try would not help when the base branch is not there, by its name', async ({
    scene: { place, task, runToEnd },
  }) => {
    const repository = { url: null, path: place.repo, baseBranch: 'nobranch' };
    const end = await runToEnd(task('- say: never', { repository, contractBranch: 'makima/new' }));
    expect(end).toMatchObject({
      outcome: 'start_failed',
      permanent: true,
      error: 'The repository has no branch nobranch. Make that branch, or name one that is there',
    });
  });

  it('does not begin at a commit that is not there', async ({ scene: { task, runToEnd } }) => {
    const end = await runToEnd(task('- say: never', { startSha: 'c'.repeat(40) }));
    expect(end).toMatchObject({ outcome: 'start_failed' });
    expect(end.error).toContain('The commit to start from is not in the store');
  });
});

it('files that were not copied are named with the reason', async ({
  scene: { place, task, runToEnd, said },
}) => {
  await commitFiles(place.repo, { '.env': 'A=1' }, 'Env');
  const start = task('- say: x', { copyFiles: ['.env', 'nowhere', '../outside', '.git/config'] });
  expect((await runToEnd(start)).outcome).toBe('done');
  const [line] = said(start).filter((text) => text.startsWith('Not copied'));
  expect(line).toMatch(/\.env \(target_exists\)/);
  expect(line).toMatch(/nowhere \(\w+\), \.\.\/outside \(\w+\), \.git\/config \(denied\)/);
});

describe('a task that works in rounds', () => {
  const steps = `steps:
  - say: I begin.
  - done: the first part
on_message:
  - say: "\${message.text}"
  - append: { file: rounds.txt, content: x }
  - run: [cat, rounds.txt]
    as: r
  - done: "all is there\\nTASK COMPLETE"
    if: { equals: ["\${r.output}", xx] }
  - done: a further part`;
  const rounds = (loopRoundsMax: number) => ({ autonomousLoop: true, loopRoundsMax });

  it('goes on until its agent says that it is done', async ({
    scene: { gateway, task, runToEnd, said },
  }) => {
    const start = task(steps, rounds(9));
    expect(await runToEnd(start)).toMatchObject({
      outcome: 'done',
      summary: 'all is there\nTASK COMPLETE',
    });
    const told = said(start).filter((text) => text.startsWith('[Round '));
    expect(told).toEqual([
      expect.stringMatching(/^\[Round 2 of 9\] Go on/),
      expect.stringMatching(/^\[Round 3 of 9\] Go on/),
    ]);
    const turns = gateway.of('task.turn_ended').map(({ text }) => text);
    expect(turns).toEqual(['the first part', 'a further part']);
  });

  it('has failed when its rounds are used up, and its work is kept', async ({
    scene: { task, runToEnd },
  }) => {
    const end = await runToEnd(task(steps, rounds(2)));
    expect(end).toMatchObject({
      outcome: 'failed',
      summary: 'a further part',
      error: 'it did not say TASK COMPLETE within 2 rounds',
      keptRef: expect.stringMatching(/^refs\/makima\/kept\//),
    });
  });

  it('ends at once with a first turn that says so, or that fails', async ({
    scene: { task, runToEnd },
  }) => {
    const quick = task('- done: TASK COMPLETE', { autonomousLoop: true });
    expect(await runToEnd(quick)).toMatchObject({ outcome: 'done' });
    const failing = task('- fail: no way', { autonomousLoop: true });
    expect(await runToEnd(failing)).toMatchObject({ outcome: 'failed', error: 'no way' });
  });

  it('is stopped between two rounds like any other', async ({
    scene: { gateway, task, saying },
  }) => {
    const slow = task('steps:\n  - done: part\non_message:\n  - say: at it\n  - sleep: 60000', {
      autonomousLoop: true,
    });
    gateway.command(slow);
    await saying(slow, 'at it');
    const { taskId } = slow;
    gateway.command({ kind: 'task.stop', taskId, attempt: 1, reason: 'cancelled', graceMs: 300 });
    expect((await gateway.ended(slow)).outcome).toBe('stopped');
  });
});
