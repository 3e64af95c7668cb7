/**
 * What shows that a deliverable is there: a file at a commit, the result of a command that makima itself
 * ran at a commit, a merged branch, or a person's word.
 *
 * Law: evidence names the commit that it speaks of. When the branch has moved past it so that it shows what
 * was and not what is, it is stale, until it is shown again.
 */

export type Evidence =
  | { readonly kind: 'file'; readonly path: string; readonly commit: string }
  | {
      readonly kind: 'command';
      readonly argv: readonly string[];
      readonly commit: string;
      readonly exitCode: number;
    }
  /** `commit` is the head that the branch had when it was merged. */
  | { readonly kind: 'merge'; readonly branch: string; readonly commit: string }
  /** `commit` is what the person looked at, when there was one. */
  | {
      readonly kind: 'person';
      readonly personId: string;
      readonly statement: string;
      readonly commit?: string | undefined;
    };

/** One step of a contract's branch: what is different at `to` from what was at `from`. */
export interface BranchMove {
  readonly from: string;
  readonly to: string;
  /** Paths of files that were added, changed or removed. */
  readonly changed: readonly string[];
  /** False: there are more than are listed. */
  readonly complete: boolean;
}

/** A step with the moment at which it was told. */
export interface ToldStep extends BranchMove {
  readonly at: Date;
}

/**
 * The moves that came after what was looked at, of moves in their order. A commit that none of them names is further
 * back, or of a merge that was not told of by itself: what was told after the look has moved past it.
 */
export function movesSince(
  looked: { readonly commit: string; readonly at: Date | null },
  moves: readonly ToldStep[],
): readonly BranchMove[] {
  const { commit, at } = looked;
  const first = moves.findIndex(({ from }) => from === commit);
  if (first !== -1) return moves.slice(first);
  if (at === null || moves.some(({ to }) => to === commit)) return [];
  return moves.filter((move) => move.at > at);
}

/**
 * What of this evidence the branch has left behind by these moves, in words; null while it still shows what is.
 * A file holds while nobody touched it, a command while nothing at all is different, merged work for good (it
 * stays in the branch); a person's word speaks of a commit only when it names one.
 */
export function leftBehind(evidence: Evidence, moves: readonly BranchMove[]): string | null {
  const moved = moves.some(({ changed, complete }) => changed.length > 0 || !complete);
  if (!moved) return null;
  switch (evidence.kind) {
    case 'file': {
      const path = plainPath(evidence.path);
      if (moves.some(({ changed }) => changed.includes(path)))
        return `${evidence.path} was changed after ${short(evidence.commit)}`;
      return moves.every(({ complete }) => complete)
        ? null
        : `too much was changed after ${short(evidence.commit)} to tell whether ${evidence.path} was`;
    }
    case 'command':
      return `\`${evidence.argv.join(' ')}\` was not run again after ${short(evidence.commit)}`;
    case 'merge':
      return null;
    case 'person':
      return evidence.commit === undefined
        ? null
        : `the word was given at ${short(evidence.commit)}`;
  }
}

/** As git lists it. */
export function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

/** Evidence that shows the contrary: a command that did not exit with 0. */
export function evidenceFails(evidence: Evidence): boolean {
  return evidence.kind === 'command' && evidence.exitCode !== 0;
}

/** One line for people. */
export function evidenceSentence(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'file':
      return `${evidence.path} at ${short(evidence.commit)}`;
    case 'command':
      return `\`${evidence.argv.join(' ')}\` exited with ${evidence.exitCode} at ${short(evidence.commit)}`;
    case 'merge':
      return `${evidence.branch} merged at ${short(evidence.commit)}`;
    case 'person':
      return `a person's word: ${evidence.statement}`;
  }
}

/** A fixed order of fields, so that equal evidence gives equal text. */
export function canonicalEvidence(evidence: Evidence): readonly (string | number)[] {
  switch (evidence.kind) {
    case 'file':
      return ['file', evidence.path, evidence.commit];
    case 'command':
      return ['command', evidence.commit, evidence.exitCode, ...evidence.argv];
    case 'merge':
      return ['merge', evidence.branch, evidence.commit];
    case 'person':
      return ['person', evidence.personId, evidence.statement, evidence.commit ?? ''];
  }
}

function short(commit: string): string {
  return commit.slice(0, 10);
}
