// Git, asked past the system: every commit that the rows name is in a store and on a ref, and every store is whole.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type postgres from 'postgres';
import type { Verdict } from './verdict.ts';

const run = promisify(execFile);
/** Stores looked at side by side. */
const sides = 2;

/** Bare repositories of daemons with these homes. */
export function storesIn(daemonHomes: readonly string[]): string[] {
  return daemonHomes.flatMap((home) => {
    const dir = join(home, 'git', 'stores');
    if (!existsSync(dir)) return [];
    return readdirSync(dir)
      .filter((name) => name.endsWith('.git'))
      .map((name) => join(dir, name));
  });
}

export async function checkGit(
  sql: postgres.Sql,
  daemonHomes: readonly string[],
  into: Verdict,
): Promise<void> {
  const stores = storesIn(daemonHomes);
  const reachable = new Set<string>();
  const side = async (): Promise<void> => {
    for (let store = stores.pop(); store !== undefined; store = stores.pop()) {
      const fsck = await git(store, ['fsck', '--connectivity-only', '--no-dangling']);
      if (fsck === null) into.broken.push(`git fsck of ${store} fails (I37)`);
      const listed = (await git(store, ['rev-list', '--all'])) ?? '';
      for (const line of listed.split('\n')) reachable.add(line);
    }
  };
  await Promise.all(Array.from({ length: sides }, side));
  const named = await sql<{ sha: string; whose: string }[]>`
    select commit_sha as sha, 'task ' || id as whose from tasks where commit_sha is not null
    union select commit_sha, 'checkpoint ' || id from task_checkpoints`;
  for (const { sha, whose } of named)
    if (!reachable.has(sha)) into.lost.push(`commit ${sha} of ${whose} is on no ref (I37)`);
}

async function git(dir: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await run('git', ['--git-dir', dir, ...args], {
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  } catch {
    return null;
  }
}
