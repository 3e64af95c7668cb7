/** Hostile names, URLs, identities and messages: none becomes an option, a transport or a header. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCheckpoint } from './checkpoint.ts';
import { runCheck } from './command.ts';
import { deliverBranch } from './deliver.ts';
import { diffCommits } from './diff.ts';
import { kindOf } from './plain-file.ts';
import { git } from './run.ts';
import { ensureBranch, openStore, readStoreState, resolveCommit } from './store.ts';
import { asAgent, identity, makePlace, makeStore, taskId } from './test-repository.ts';
import type { Place } from './test-repository.ts';
import { prepareWorkdir } from './workdir.ts';

const name = { task: taskId, attempt: 1 };

describe('hostile words', () => {
  let place: Place;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place.drop());

  it('cannot smuggle options or transports through names and URLs', async () => {
    const touch = join(place.root, 'touched');
    const urls = [
      `ext::sh -c touch% ${touch}`,
      `EXT::sh -c touch% ${touch}`,
      `--upload-pack=touch ${touch}`,
      `-utouch ${touch}`,
      'fd::3',
      `file://${place.repo}`,
      `git@-oProxyCommand=touch ${touch}:y`,
    ];
    for (const url of urls) {
      const opening = openStore({ home: place.home, source: url, allowLocal: true });
      await expect(opening, url).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
      // And past the parser: the runner allows no such transport.
      const raw = git(['ls-remote', '--', url], { transport: 'network', timeoutMs: 10_000 });
      await expect(raw, url).rejects.toMatchObject({ code: 'GIT_FAILED' });
    }
    const head = await asAgent(place.repo, 'rev-parse', 'HEAD');
    await asAgent(place.repo, 'update-ref', 'refs/heads/-x', head);
    await asAgent(place.repo, 'update-ref', `refs/heads/--output=${touch.slice(1)}`, head);
    const store = await makeStore(place);
    expect((await readStoreState(store)).branches.get('-x')).toBe(head);
    for (const evil of [
      '-x',
      `--output=${touch}`,
      'a..b',
      '@{-1}',
      'refs/heads/-x',
      ';rm',
      'a\nb',
    ]) {
      const refused = { code: 'VALIDATION_FAILED' };
      const dir = join(place.root, 'work/x');
      const start = { kind: 'commit', ref: evil } as const;
      const options = { store, dir, start, identity };
      await expect(resolveCommit(store, evil), evil).rejects.toMatchObject(refused);
      await expect(ensureBranch(store, evil, head), evil).rejects.toMatchObject(refused);
      await expect(prepareWorkdir({ ...options, branch: 'x' }), evil).rejects.toMatchObject(
        refused,
      );
      await expect(
        prepareWorkdir({ ...options, branch: evil, start: { kind: 'commit', ref: 'main' } }),
      ).rejects.toMatchObject(refused);
      await expect(diffCommits(store, evil, head)).rejects.toMatchObject(refused);
      await expect(
        deliverBranch(store, { repositoryPath: place.repo, branch: evil }),
      ).rejects.toMatchObject(refused);
      await expect(
        runCheck(store, { ref: evil, command: ['true'], timeoutMs: 1 }),
      ).rejects.toMatchObject(refused);
    }
    const taskDir = join(place.root, 'work', `--upload-pack=touch ${touch}`);
    await mkdir(join(place.root, 'work'), { recursive: true });
    const start = { kind: 'commit', ref: 'main' } as const;
    const flagged = prepareWorkdir({ store, dir: taskDir, branch: 'x', start, identity });
    await expect(flagged).rejects.toMatchObject({ details: { reason: 'bad_directory' } });
    expect(await kindOf(touch)).toBe('missing');
  });

  it('carry no identity or message that breaks out of a commit', async () => {
    const store = await makeStore(place);
    const odd = { name: 'a\nb <c>\0', email: '<x>\n' };
    const dir = join(place.root, 'work/odd');
    const start = { kind: 'commit', ref: 'main' } as const;
    const { workdir, startSha } = await prepareWorkdir({
      store,
      dir,
      branch: 'x',
      start,
      identity: odd,
    });
    await asAgent(dir, 'config', 'user.name').then((value) => expect(value).not.toContain('\n'));
    const message = '--amend\n\0\n# not a comment\nMakima-Branch: forged';
    const made = await makeCheckpoint(workdir, {
      ...name,
      number: 1,
      message,
      baseSha: startSha,
      identity: odd,
    });
    expect(made.branchName).toBe('x');
    const fsck = await git(['fsck', '--strict', '--no-dangling'], { gitDir: store.dir });
    expect(fsck.stdout).toBe('');
  });
});
