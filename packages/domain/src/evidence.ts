/**
 * What shows that a deliverable is there: a file at a commit, the result of a command that makima itself
 * ran at a commit, a merged branch, or a person's word.
 *
 * Law: evidence names the commit that it speaks of. When the branch has moved since, it is stale: it shows
 * what was, not what is.
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

/**
 * Has the branch moved since? `branchHead` is the present head of the branch that the evidence speaks of
 * (for a merge: the branch that was merged); null when there is no such branch, which cannot have moved.
 */
export function evidenceStale(evidence: Evidence, branchHead: string | null): boolean {
  if (branchHead === null || evidence.commit === undefined) return false;
  return evidence.commit !== branchHead;
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
