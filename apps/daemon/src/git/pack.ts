/**
 * Commits on their way between machines: as a git pack of what no other copy of the source has.
 *
 * Law: bounded; every object is checked on the way in and must lead to objects that are here; a commit's ref
 * appears only when all of it is here.
 *
 * export makePack(store, ref, maxBytes): Promise<{ commitSha, pack | null }>      null: every copy has it
 * export takePack(store, options: TakePackOptions): Promise<void>
 */
import { MakimaError } from '@makima/domain/error';
import { updateRefs } from './commit.ts';
import { GitFailure, refuse } from './failure.ts';
import { withRepoLock } from './lock.ts';
import { assertSha, publicRefs } from './names.ts';
import { git } from './run.ts';
import { resolveCommit, type Store } from './store.ts';

const timeoutMs = 300_000;

export async function makePack(
  store: Store,
  ref: string,
  maxBytes: number,
): Promise<{ readonly commitSha: string; readonly pack: Buffer | null }> {
  const commitSha = await resolveCommit(store, ref);
  if (commitSha === null) throw refuse('ref_missing', 'The work is not in the store');
  const known = await publicTips(store);
  const input = [commitSha, ...known.map((id) => `^${id}`), ''].join('\n');
  const listed = await git(['rev-list', '--count', '--stdin'], { gitDir: store.dir, input });
  if (Number(listed.stdout) === 0) return { commitSha, pack: null };
  const args = ['pack-objects', '--quiet', '--revs', '--thin', '--stdout', '--delta-base-offset'];
  const { bytes, truncated } = await git(args, {
    gitDir: store.dir,
    input,
    maxBytes,
    truncate: true,
    timeoutMs,
  });
  if (truncated) throw tooLarge(maxBytes);
  return { commitSha, pack: bytes };
}

/** What the source itself has; what makima delivered there stands on no other machine. */
async function publicTips(store: Store): Promise<string[]> {
  const format = '--format=%(refname) %(objectname)';
  const { stdout } = await git(['for-each-ref', format, ...publicRefs], { gitDir: store.dir });
  const rows = stdout.split('\n').map((row) => row.split(' '));
  const ids = rows.flatMap(([name = '', id = '']) =>
    id === '' || name.startsWith('refs/remotes/origin/makima/') ? [] : [id],
  );
  return [...new Set(ids)];
}

export interface TakePackOptions {
  readonly commitSha: string;
  /** Null: the source has the commit. */
  readonly pack: Buffer | null;
  /** Under which it stands here. */
  readonly ref: string;
  /** Fetches what the source has by now; called only when something is missing. */
  readonly refresh: () => Promise<unknown>;
}

export async function takePack(store: Store, options: TakePackOptions): Promise<void> {
  const commitSha = assertSha(options.commitSha);
  if ((await resolveCommit(store, commitSha)) === null) {
    await bringIn(store, options.pack).catch(async (error: unknown) => {
      if (!(error instanceof GitFailure) || error.ending !== 'exit') throw error;
      // It builds on commits that the source has and this store has not fetched yet.
      await options.refresh();
      await bringIn(store, options.pack);
    });
    if (options.pack === null) await options.refresh();
  }
  if ((await resolveCommit(store, commitSha)) === null)
    throw refuse('ref_missing', 'The commit did not come with its pack');
  await withRepoLock(store.dir, () => updateRefs(store, [`update ${options.ref} ${commitSha}`]));
}

/** `--strict`: no faulty object, none that leads nowhere. */
async function bringIn(store: Store, pack: Buffer | null): Promise<void> {
  if (pack === null) return;
  await withRepoLock(store.dir, () =>
    git(['index-pack', '--stdin', '--fix-thin', '--strict'], {
      gitDir: store.dir,
      input: pack,
      timeoutMs,
    }),
  );
}

function tooLarge(maxBytes: number): MakimaError {
  return new MakimaError(
    'PAYLOAD_TOO_LARGE',
    `the commits are larger than ${Math.floor(maxBytes / 1_048_576)} MiB and do not travel`,
    { fix: 'merge this work by hand on its machine, or do it in smaller tasks' },
  );
}
