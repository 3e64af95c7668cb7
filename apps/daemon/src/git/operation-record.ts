/**
 * What an operation came to, kept in the store: a blob under the operation's own ref.
 *
 * Law: result and refs move in one transaction, so that the same operation, asked again after a crash, answers
 * what it answered and moves nothing twice.
 *
 * export recordResult(store, operationId, result, moves?): Promise<void>
 * export recordedResult<T>(store, operationId): Promise<T | null>
 */
import { updateRefs } from './commit.ts';
import { operationRef } from './names.ts';
import { git } from './run.ts';
import type { Store } from './store.ts';

/** `moves`: lines as of `update-ref --stdin`. */
export async function recordResult(
  store: Store,
  operationId: string,
  result: object,
  moves: readonly string[] = [],
): Promise<void> {
  const { stdout } = await git(['hash-object', '-w', '--stdin'], {
    gitDir: store.dir,
    input: JSON.stringify(result),
  });
  await updateRefs(store, [...moves, `create ${operationRef(operationId)} ${stdout.trim()}`]);
}

export async function recordedResult<T extends object>(
  store: Store,
  operationId: string,
): Promise<T | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', operationRef(operationId)];
  const found = await git(args, { gitDir: store.dir, okCodes: [0, 1, 128] });
  if (found.exitCode !== 0) return null;
  const blob = await git(['cat-file', 'blob', found.stdout.trim()], { gitDir: store.dir });
  return JSON.parse(blob.stdout) as T;
}
