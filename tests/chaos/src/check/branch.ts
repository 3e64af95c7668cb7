// What stands on a contract's branch: as it was delivered, or where the moves say that it stands, in the store of
// a machine.
// Law: git is asked, not the system; what a machine that is gone for good had merged counts as everybody's.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseSource } from '@makima/daemon/git/source';
import { storePath } from '@makima/daemon/git/store';
import { daemonHomesOf, livingHomesOf } from '../house/homes.ts';
import type { House } from '../house/house.ts';
import type { Started } from '../scenario.ts';

/** Names and contents. The README names its contract. */
export async function branchFiles(house: House, started: Started): Promise<string[]> {
  const delivered = listed(join(started.repo, '.git'), `makima/${started.slug}`);
  if (delivered !== null) return delivered;
  const place = house.placeOf(started.repo);
  const [head] = await house.sql<{ toSha: string }[]>`
    select to_sha as "toSha" from branch_moves where contract_id = ${started.id} order by n desc limit 1`;
  if (head === undefined || !('repositoryUrl' in place)) return [];
  const source = parseSource(place.repositoryUrl);
  for (const home of new Set([...livingHomesOf(house), ...daemonHomesOf(house)])) {
    const store = storePath(join(home, 'git'), source);
    const found = existsSync(store) ? listed(store, head.toSha) : null;
    if (found !== null) return found;
  }
  return [];
}

/** Pieces that stand there; a completed contract has them all. */
export function piecesAmong(files: readonly string[]): number {
  return files.filter((line) => line.includes('\tout/')).length;
}

function listed(gitDir: string, commit: string): string[] | null {
  try {
    const args = ['--git-dir', gitDir, 'ls-tree', '-r', commit];
    const out = execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' });
    return out.split('\n').filter((line) => line !== '' && !line.endsWith('README.md'));
  } catch {
    return null;
  }
}
