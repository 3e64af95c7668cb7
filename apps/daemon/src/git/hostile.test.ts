/** Hostile repositories: every operation runs on them, and nothing of theirs is executed. */
import { execFileSync } from 'node:child_process';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint } from './checkpoint.ts';
import { readAtCommit, runCheck } from './command.ts';
import { deliverBranch } from './deliver.ts';
import { diffCommits, diffWorkdir } from './diff.ts';
import { hostileAttributes, makeHostileKit } from './hostile-kit.ts';
import type { HostileKit } from './hostile-kit.ts';
import { keepWorkdir } from './keep.ts';
import { mergeInto } from './merge.ts';
import { kindOf } from './plain-file.ts';
import { readBelow } from './read-file.ts';
import { rewindWorkdir } from './rewind.ts';
import { readStatus } from './shadow.ts';
import { ensureBranch, openStore, refreshStore, resolveCommit } from './store.ts';
import { takeCommits } from './take.ts';
import {
  asAgent,
  commitFiles,
  makePlace,
  makeRepository,
  makeStore,
  makeTask,
} from './test-repository.ts';
import { taskId, writeFiles } from './test-repository.ts';
import type { Place, TaskPlace } from './test-repository.ts';
import { removeWorkdir } from './workdir.ts';

const name = { task: taskId, attempt: 1 };
const branch = 'makima/fix-it';

/** Settles; what is refused is fine, what executes is not. */
const quietly = async (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => error);

describe('hostile repositories', () => {
  let place: Place;
  let kit: HostileKit;
  beforeEach(async () => {
    place = await makePlace();
    kit = await makeHostileKit(place.root);
    await commitFiles(
      place.repo,
      { '.gitattributes': hostileAttributes, 'a.txt': 'a\n', 'b.proc': 'b\n', 'c.bin': 'c\n' },
      'Attributes',
    );
  });
  afterEach(async () => {
    const executed = await kit.executed();
    await place.drop();
    expect(executed).toEqual([]);
  });

  /** Every operation of the daemon on a task's directory, in the order of a life. */
  const everything = async (task: TaskPlace, number = 1): Promise<unknown[]> => {
    const { store, workdir, baseSha } = task;
    const answers = [
      await quietly(readStatus(workdir)),
      await quietly(diffWorkdir(workdir, { baseSha, ...name })),
      await quietly(makeCheckpoint(workdir, { ...name, number, message: 'x', baseSha })),
      await quietly(takeCommits(workdir, name)),
      await quietly(makeTask(place, store)),
      await quietly(refreshStore(store)),
      await quietly(ensureBranch(store, branch, baseSha)),
      await quietly(
        mergeInto(store, {
          operationId: `op-${number}`,
          source: `refs/makima/tasks/${taskId}-a1`,
          targetBranch: branch,
          how: 'merge',
          message: 'Merge',
        }),
      ),
      await quietly(diffCommits(store, baseSha, branch)),
      await quietly(
        deliverBranch(store, { repositoryPath: place.repo, branch, fastForward: 'main' }),
      ),
      await quietly(runCheck(store, { ref: branch, command: ['true'], timeoutMs: 10_000 })),
      await quietly(readAtCommit(store, branch, 'a.txt')),
      await quietly(readBelow(task.dir, 'a.txt')),
      await quietly(keepWorkdir(workdir, { ...name, baseSha })),
      await quietly(rewindWorkdir(workdir, { ...name, baseSha, to: baseSha, preserve: 'stash' })),
    ];
    return answers;
  };
  const failures = (answers: unknown[]): unknown[] => answers.filter((a) => a instanceof Error);

  it('have teeth: an unguarded git executes what the corpus plants', async () => {
    const task = await makeTask(place, await makeStore(place));
    const { run } = kit;
    const nested = join(task.dir, 'nested');
    await makeRepository(nested, { n: '1' });
    await asAgent(task.dir, '-c', 'advice.addEmbeddedRepo=false', 'add', 'nested');
    await asAgent(task.dir, 'checkout', '--quiet', '-b', 'side');
    await commitFiles(task.dir, { 'a.txt': 'side\n' }, 'Side');
    await asAgent(task.dir, 'checkout', '--quiet', task.branch);
    await commitFiles(task.dir, { 'a.txt': 'main\n' }, 'Main');
    await asAgent(nested, 'config', 'core.fsmonitor', run('nested-fsmonitor'));
    await quietly(asAgent(task.dir, '-c', `merge.evil.driver=${run('driver')}`, 'merge', 'side'));
    expect(await kit.executed()).toContain('driver');
    await asAgent(task.dir, 'reset', '--quiet', '--hard');
    await writeFiles(task.dir, { 'a.txt': 'dirty\n', 'b.proc': 'dirty\n', 'nested/n': '2' });
    const vectors: [what: string, setting: string, ...command: string[]][] = [
      ['fsmonitor', 'core.fsmonitor', 'status'],
      ['nested-fsmonitor', 'makima.none', 'status'],
      ['diff-external', 'diff.external', 'diff'],
      ['diff-command', 'diff.evil.command', 'diff'],
      ['textconv', 'diff.evil.textconv', 'diff'],
      ['clean', 'filter.evil.clean', 'add', 'a.txt'],
      ['process', 'filter.evilproc.process', 'add', 'b.proc'],
      ['smudge', 'filter.evil.smudge', 'checkout', '--force', 'HEAD', '--', 'a.txt'],
      ['path-pre-commit', 'core.hooksPath', 'commit', '--allow-empty', '-m', 'x'],
      ['gpg', 'gpg.program', 'commit', '-S', '--allow-empty', '-m', 'x'],
      ['alias', 'alias.evil', 'evil'],
      ['alternate-refs', 'core.alternateRefsCommand', 'fetch', place.repo, 'main'],
      ['uploadpack', 'remote.r.uploadpack', '-c', `remote.r.url=${place.repo}`, 'fetch', 'r'],
    ];
    for (const [what, setting, ...command] of vectors) {
      const program = setting.startsWith('alias') ? `!${run(what)}` : run(what);
      const value = setting === 'core.hooksPath' ? join(place.root, 'kit/hooks') : program;
      await quietly(asAgent(task.dir, '-c', `${setting}=${value}`, '--no-pager', ...command));
      expect(await kit.executed(), what).toContain(what);
    }
    await rm(join(place.root, 'kit/ledger'));
  });

  it('execute nothing when an agent plants everything in its own .git', async () => {
    const store = await makeStore(place);
    const task = await makeTask(place, store);
    await commitFiles(task.dir, { 'work.txt': 'w\n', 'w.proc': 'w', 'w.bin': 'w' }, 'Work');
    await kit.plant(join(task.dir, '.git'), [store.dir, task.workdir.shadowDir, place.repo]);
    await writeFiles(task.dir, {
      'a.txt': 'dirty\n',
      'new.txt': 'n',
      'new.proc': 'n',
      'c.bin': 'x',
    });
    const answers = await everything(task);
    expect(failures(answers)).toEqual([]);
    expect(answers[9]).toMatchObject({ reason: 'checked_out', commitSha: expect.any(String) });
    await removeWorkdir(task.workdir);
  });

  it('execute nothing when the person’s own repository is the hostile one', async () => {
    const source = join(place.root, 'home/stores');
    await kit.plant(join(place.repo, '.git'), [source, place.repo]);
    const store = await makeStore(place);
    await kit.plant(join(place.repo, '.git'), [store.dir]);
    // Borrowed objects are what makes git ask the alternate-refs command.
    const lender = join(place.root, 'lender');
    await makeRepository(lender, { l: '1' });
    await writeFile(join(place.repo, '.git/objects/info/alternates'), `${lender}/.git/objects\n`);
    const task = await makeTask(place, store);
    await commitFiles(task.dir, { 'work.txt': 'w\n' }, 'Work');
    expect(failures(await everything(task))).toEqual([]);
    await rm(join(place.repo, '.gitattributes'));
    expect(await asAgent(place.repo, '-c', 'core.hooksPath=', 'rev-parse', branch)).toMatch(
      /^[0-9a-f]{40}$/,
    );
  });

  it('execute nothing when a checkout is moved in a hostile repository without filters', async () => {
    const plain = join(place.root, 'plain');
    await makeRepository(plain, { 'a.txt': 'a\n' });
    await kit.plant(join(plain, '.git'));
    const store = await openStore({ home: place.home, source: plain, allowLocal: true });
    const task = await makeTask(place, store);
    await commitFiles(task.dir, { 'a.txt': 'b\n', 'n.txt': 'n\n' }, 'Work');
    await takeCommits(task.workdir, name);
    await ensureBranch(
      store,
      branch,
      (await resolveCommit(store, `refs/makima/tasks/${taskId}-a1`)) ?? '',
    );
    const delivery = await deliverBranch(store, {
      repositoryPath: plain,
      branch,
      fastForward: 'main',
    });
    expect(delivery).toMatchObject({ baseMoved: true });
    expect(await readBelow(plain, 'a.txt')).toMatchObject({ content: 'b\n' });
  });

  it('do not make upload-pack fetch missing objects with a planted remote', async () => {
    const blob = await asAgent(place.repo, 'rev-parse', 'HEAD:a.txt');
    await rm(join(place.repo, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    const planted =
      '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n';
    await kit.plant(join(place.repo, '.git'), [place.repo]);
    await writeFile(join(place.repo, '.git/config'), planted, { flag: 'a' });
    const remote = `[remote "origin"]\n\turl = ${place.root}\n\tuploadpack = "${kit.run('lazy')}"\n\tpromisor = true\n`;
    await writeFile(join(place.repo, '.git/config'), remote, { flag: 'a' });
    await expect(makeStore(place)).rejects.toMatchObject({ code: 'GIT_FAILED' });
  });

  it('execute nothing in embedded repositories, new, added as pointers, or as submodules', async () => {
    const store = await makeStore(place);
    const task = await makeTask(place, store);
    for (const sub of ['fresh', 'pointer', 'fresh/deeper']) {
      await makeRepository(join(task.dir, sub), {
        'in.txt': 'i\n',
        '.gitattributes': hostileAttributes,
      });
    }
    const library = join(place.root, 'library');
    await makeRepository(library, { l: '1' });
    await asAgent(task.dir, 'submodule', '--quiet', 'add', library, 'lib');
    await asAgent(task.dir, '-c', 'advice.addEmbeddedRepo=false', 'add', 'pointer');
    await asAgent(task.dir, 'commit', '--quiet', '-m', 'Pointers');
    for (const sub of [
      'fresh/.git',
      'pointer/.git',
      'fresh/deeper/.git',
      '.git/modules/lib',
      '.git',
    ]) {
      await kit.plant(join(task.dir, sub));
    }
    await writeFiles(task.dir, { 'fresh/in.txt': '2', 'pointer/in.txt': '2', 'lib/l': '2' });
    for (const number of [1, 2]) {
      const answers = await everything(task, number);
      expect(failures(answers)).toEqual([]);
      await writeFiles(task.dir, { 'pointer/in.txt': '3', 'fresh/deeper/in.txt': '3' });
    }
  });

  it('do not recurse into submodules, whatever their shape', async () => {
    const library = join(place.root, 'library');
    await makeRepository(library, {
      'y/hooks/post-checkout': `#!/bin/sh\n${kit.run('submodule-hook')}\n`,
    });
    await asAgent(
      place.repo,
      'submodule',
      '--quiet',
      'add',
      '--name',
      'x/y',
      library,
      'A/modules/x',
    );
    // The shape of CVE-2024-32002: a link that folds into the directory of the submodule.
    await symlink('.git', join(place.repo, 'a'));
    await commitFiles(place.repo, {}, 'Fold');
    const store = await makeStore(place);
    await expect(makeTask(place, store)).rejects.toMatchObject({
      details: { reason: 'case_clash' },
    });
    // The shape of CVE-2025-48384: a path that ends in a carriage return.
    await asAgent(place.repo, 'rm', '-q', '--force', 'a');
    const modules = `[submodule "x/y"]\n\tpath = "A/modules/x\r"\n\turl = ${library}\n\tupdate = "!${kit.run('update')}"\n`;
    await commitFiles(place.repo, { '.gitmodules': modules }, 'Return');
    const refreshed = await quietly(refreshStore(store));
    if (refreshed instanceof Error) expect(refreshed).toMatchObject({ code: 'GIT_FAILED' });
    const task = await quietly(makeTask(place, store, { attempt: 2 }));
    if (!(task instanceof Error)) await everything(task as TaskPlace);
  });

  it('leave .git alone when a tree claims to hold one', async () => {
    const blob = await asAgent(place.repo, 'rev-parse', 'HEAD:a.txt');
    const store = await makeStore(place);
    for (const evil of ['.git', '.GIT', '.g\u200cit', 'git~1']) {
      const entry = Buffer.concat([Buffer.from(`100644 ${evil}\0`), Buffer.from(blob, 'hex')]);
      await writeFile(join(place.root, 'tree'), entry);
      const raw = ['hash-object', '-w', '--literally', '-t', 'tree', join(place.root, 'tree')];
      const tree = await asAgent(place.repo, ...raw);
      const commit = await asAgent(place.repo, 'commit-tree', '-m', 'Evil', tree);
      await asAgent(place.repo, 'update-ref', 'refs/heads/evil', commit);
      await expect(refreshStore(store), evil).rejects.toMatchObject({ code: 'GIT_FAILED' });
      expect(await resolveCommit(store, commit)).toBeNull();
    }
  });

  it('do not lead out by a link or file in place of .git, and nothing outside changes', async () => {
    const store = await makeStore(place);
    const task = await makeTask(place, store);
    await kit.plant(join(place.repo, '.git'));
    const before = await asAgent(place.repo, '-c', 'core.hooksPath=', 'rev-parse', 'HEAD');
    await rename(join(task.dir, '.git'), join(place.root, 'moved'));
    for (const replace of [
      () => symlink(join(place.repo, '.git'), join(task.dir, '.git')),
      () => writeFile(join(task.dir, '.git'), `gitdir: ${place.repo}/.git\n`),
    ]) {
      await rm(join(task.dir, '.git'), { force: true });
      await replace();
      for (const work of [
        () => readStatus(task.workdir),
        () => takeCommits(task.workdir, name),
        () =>
          makeCheckpoint(task.workdir, { ...name, number: 9, message: '', baseSha: task.baseSha }),
        () => makeTask(place, store),
      ]) {
        await expect(work()).rejects.toMatchObject({ details: { reason: 'git_dir_replaced' } });
      }
      await everything(task);
    }
    expect(await asAgent(place.repo, '-c', 'core.hooksPath=', 'rev-parse', 'HEAD')).toBe(before);
    const away = join(place.root, 'away');
    await rename(task.dir, away);
    await symlink(away, task.dir);
    await expect(readStatus(task.workdir)).rejects.toMatchObject({
      details: { reason: 'directory_unsafe' },
    });
    await removeWorkdir(task.workdir);
    expect(await kindOf(away)).toBe('directory');
  });

  it('do not hang the daemon with pipes where git expects files', async () => {
    const store = await makeStore(place);
    const task = await makeTask(place, store);
    const gitDir = join(task.dir, '.git');
    for (const file of ['config', 'packed-refs', 'HEAD']) {
      await rm(join(gitDir, file), { force: true });
      execFileSync('mkfifo', [join(gitDir, file)]);
    }
    await expect(takeCommits(task.workdir, name)).rejects.toMatchObject({
      details: { reason: 'git_dir_unreadable' },
    });
    const { kept } = await keepWorkdir(task.workdir, { ...name, baseSha: task.baseSha });
    expect(kept).toBeNull();
    await rm(join(task.dir, '.gitattributes'));
    execFileSync('mkfifo', [join(task.dir, '.gitignore')]);
    const bounded = { ...name, baseSha: task.baseSha, timeoutMs: 300 };
    await expect(keepWorkdir(task.workdir, bounded)).rejects.toMatchObject({ ending: 'timeout' });
    await rm(join(task.dir, '.gitignore'));
    const after = await keepWorkdir(task.workdir, { ...bounded, timeoutMs: 10_000 });
    expect(after.kept).not.toBeNull();
  });
});
