// Git, asked past the system: every commit that the rows name is in a store and on a ref, and every store is whole.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type postgres from 'postgres';
import type { Verdict } from './verdict.ts';

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
  for (const store of stores) {
    const fsck = git(store, ['fsck', '--connectivity-only', '--no-dangling']);
    if (fsck === null) into.broken.push(`git fsck of ${store} fails (I37)`);
    for (const line of (git(store, ['rev-list', '--all']) ?? '').split('\n')) reachable.add(line);
  }
  const named = await sql<{ sha: string; whose: string }[]>`
    select commit_sha as sha, 'task ' || id as whose from tasks where commit_sha is not null
    union select commit_sha, 'checkpoint ' || id from task_checkpoints`;
  for (const { sha, whose } of named)
    if (!reachable.has(sha)) into.lost.push(`commit ${sha} of ${whose} is on no ref (I37)`);
}

function git(dir: string, args: readonly string[]): string | null {
  try {
    return execFileSync('git', ['--git-dir', dir, ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 256 * 1024 * 1024,
    });
  } catch {
    return null;
  }
}
