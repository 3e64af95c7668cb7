/**
 * Everything in a repository that is known to make git execute something, each leaving its name in a
 * ledger. Used by tests only.
 *
 * Law: the ledger must stay empty whatever the daemon does, and must fill when an unguarded git is used:
 * a corpus without that control proves nothing.
 */
import { writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface HostileKit {
  /** Path of a program that writes `what` into the ledger and succeeds. */
  readonly run: (what: string) => string;
  /** What executed so far. */
  readonly executed: () => Promise<string[]>;
  /** Writes hooks and configuration into a git directory; `paths` are URLs that git may be given. */
  readonly plant: (gitDir: string, paths?: readonly string[]) => Promise<void>;
}

const hookNames =
  `applypatch-msg commit-msg fsmonitor-watchman post-applypatch post-checkout post-commit
  post-index-change post-merge post-receive post-rewrite post-update pre-applypatch pre-auto-gc pre-commit
  pre-merge-commit pre-push pre-rebase pre-receive prepare-commit-msg proc-receive push-to-checkout
  reference-transaction sendemail-validate update`.split(/\s+/);

const verbs =
  `add apply cat-file checkout-index commit-tree diff diff-files diff-index diff-tree fetch
  for-each-ref grep hash-object ls-files ls-tree merge-base merge-tree read-tree rev-list rev-parse show
  status symbolic-ref update-index update-ref upload-pack write-tree evil`.split(/\s+/);

export async function makeHostileKit(root: string): Promise<HostileKit> {
  const dir = join(root, 'kit');
  for (const name of ['hooks', 'bin']) await mkdir(join(dir, name), { recursive: true });
  const ledger = join(dir, 'ledger');
  const run = (what: string): string => {
    const script = join(dir, 'bin', what);
    writeFileSync(script, `#!/bin/sh\necho "\${0##*/}" >> '${ledger}'\n`, { mode: 0o755 });
    return script;
  };
  for (const name of hookNames) await writeHook(join(dir, 'hooks', name), run(`path-${name}`));
  return {
    run,
    async executed() {
      const text = await readFile(ledger, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    async plant(gitDir, paths = []) {
      await mkdir(join(gitDir, 'hooks'), { recursive: true });
      await mkdir(join(gitDir, 'info'), { recursive: true });
      for (const name of hookNames)
        await writeHook(join(gitDir, 'hooks', name), run(`hook-${name}`));
      await writeFile(join(gitDir, 'info/attributes'), '*.txt filter=evil diff=evil merge=evil\n');
      await writeFile(join(dir, 'included'), included(run));
      const former = await readFile(join(gitDir, 'config'), 'utf8').catch(() => '');
      await writeFile(join(gitDir, 'config'), `${former}\n${config(run, dir, paths)}`);
    },
  };
}

/** Attributes that hand every file to a driver, as a tracked file can. */
export const hostileAttributes = [
  '*.txt filter=evil diff=evil merge=evil',
  '*.proc filter=evilproc',
  '*.bin filter=lfs diff=lfs merge=lfs -text',
  '',
].join('\n');

async function writeHook(path: string, command: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${command}\n`);
  await chmod(path, 0o755);
}

function config(run: HostileKit['run'], dir: string, paths: readonly string[]): string {
  const aliases = verbs.map((verb) => `\t${verb} = !${run(`alias-${verb}`)}`);
  const remotes = paths.map((path) =>
    [
      `[remote "${path}"]`,
      `\tuploadpack = ${run('remote-path-uploadpack')}`,
      `\treceivepack = ${run('remote-path-receivepack')}`,
      `\tproxy = ext::${run('proxy')}`,
    ].join('\n'),
  );
  return [
    '[core]',
    `\thooksPath = ${dir}/hooks`,
    `\tfsmonitor = ${run('fsmonitor')}`,
    `\tsshCommand = ${run('ssh-command')}`,
    `\tgitProxy = ${run('git-proxy')}`,
    `\teditor = ${run('editor')}`,
    `\tpager = ${run('pager')}`,
    `\taskPass = ${run('ask-pass')}`,
    `\talternateRefsCommand = ${run('alternate-refs')}`,
    ...drivers(run),
    '[alias]',
    ...aliases,
    '[include]',
    `\tpath = ${dir}/included`,
    '[includeIf "gitdir:**"]',
    `\tpath = ${dir}/included`,
    '[remote "origin"]',
    `\turl = ext::${run('remote-url')}`,
    `\tuploadpack = ${run('remote-uploadpack')}`,
    '\tpromisor = true',
    '\tpartialclonefilter = blob:none',
    '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '[submodule]',
    '\trecurse = true',
    '[submodule "sub"]',
    `\tupdate = !${run('submodule-update')}`,
    `\turl = ext::${run('submodule-url')}`,
    '\tactive = true',
    '[protocol "ext"]',
    '\tallow = always',
    ...remotes,
    '',
  ].join('\n');
}

function drivers(run: (what: string) => string): string[] {
  return [
    '[diff]',
    `\texternal = ${run('diff-external')}`,
    '[diff "evil"]',
    `\ttextconv = ${run('textconv')}`,
    `\tcommand = ${run('diff-command')}`,
    '[filter "evil"]',
    `\tclean = ${run('filter-clean')}`,
    `\tsmudge = ${run('filter-smudge')}`,
    '\trequired = true',
    '[filter "evilproc"]',
    `\tprocess = ${run('filter-process')}`,
    '[filter "lfs"]',
    `\tclean = ${run('lfs-clean')}`,
    `\tsmudge = ${run('lfs-smudge')}`,
    `\tprocess = ${run('lfs-process')}`,
    '[merge]',
    '\tdefault = evil',
    '[merge "evil"]',
    `\tdriver = ${run('merge-driver')}`,
    '[gpg]',
    `\tprogram = ${run('gpg')}`,
    '[gpg "ssh"]',
    `\tprogram = ${run('gpg-ssh')}`,
    `\tdefaultKeyCommand = ${run('gpg-ssh-key')}`,
    '[commit]\n\tgpgSign = true',
    '[tag]\n\tgpgSign = true',
    '[log]\n\tshowSignature = true',
    '[credential]',
    `\thelper = !${run('credential')}`,
    '[uploadpack]',
    `\tpackObjectsHook = ${run('pack-objects-hook')}`,
    '[gc]\n\tauto = 1',
    `\trecentObjectsHook = ${run('recent-objects')}`,
    '[trailer "makima"]',
    `\tcommand = ${run('trailer')}`,
    '[interactive]',
    `\tdiffFilter = ${run('diff-filter')}`,
  ];
}

function included(run: HostileKit['run']): string {
  return `[filter "evil"]\n\tclean = ${run('included-clean')}\n[core]\n\tfsmonitor = ${run('included-fsmonitor')}\n`;
}
