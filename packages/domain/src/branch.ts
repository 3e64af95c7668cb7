/**
 * Names of branches: what may be one, and which belong to a contract.
 *
 * A contract's own branch is `makima/<contract>`. git keeps no name below another branch's name, so what
 * stands beside it hangs on by a dot: `makima/<contract>.<name>`. A slug has no dot, so no two contracts share
 * a name.
 *
 * Law: total; a name that is refused is never echoed.
 */

const newPattern = /^[a-z0-9][a-z0-9._/-]{0,199}$/;
const existingPattern = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._/+@#=,-]{0,200}$/u;
const commitPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export type BranchVerdict =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly reason: string };

/** A full commit id. */
export function isCommitId(text: string): boolean {
  return commitPattern.test(text);
}

/** A name for a branch that makima makes: lower case, and never to be taken for a commit. */
export function isNewBranch(name: string): boolean {
  return newPattern.test(name) && isSane(name) && !isCommitId(name);
}

/** A name that a repository may already have: anything that git accepts without tricks. */
export function isBranch(name: string): boolean {
  return existingPattern.test(name) && isSane(name);
}

/** The rules of git-check-ref-format, and no component that could be read as an option. */
function isSane(name: string): boolean {
  if (name.includes('..') || name.includes('@{') || name.endsWith('.') || name === 'HEAD') {
    return false;
  }
  return name
    .split('/')
    .every(
      (part) =>
        part !== '' &&
        part !== '@' &&
        !part.startsWith('.') &&
        !part.startsWith('-') &&
        !part.endsWith('.lock'),
    );
}

/** Where supervisors merge to, and what is handed over at the end. */
export function contractBranch(slug: string): string {
  return `makima/${slug}`;
}

/** The whole name of a branch beside the contract's, from its short or its whole name. */
export function branchBeside(slug: string, asked: string): BranchVerdict {
  const own = `${contractBranch(slug)}.`;
  if (!isNewBranch(asked)) {
    const reason =
      'lower case letters, digits and . _ / - are allowed, beginning with a letter or digit';
    return { ok: false, reason };
  }
  const isWhole = asked === 'makima' || asked.startsWith('makima/');
  if (isWhole && !asked.startsWith(own)) {
    return { ok: false, reason: `branches of this contract are named ${own}<name>` };
  }
  const name = isWhole ? asked : `${own}${asked}`;
  return isNewBranch(name) ? { ok: true, name } : { ok: false, reason: 'the name is too long' };
}

/** Under which a task's work is handed to people: `makima/<contract>.<task>-a<attempt>`. */
export function taskBranchBeside(slug: string, task: string, attempt: number): string {
  return `${contractBranch(slug)}.${task}-a${attempt}`;
}

/**
 * May something of this contract begin there: at a branch, a tag or a commit? For an agent not at a branch of
 * another contract.
 */
export function mayBeginAt(slug: string, asker: 'agent' | 'person', ref: string): boolean {
  if (!isBranch(ref) || ref.startsWith('refs/')) return false;
  return asker === 'person' || !ref.startsWith('makima/') || belongsTo(slug, ref);
}

/** The contract's branch or one beside it. */
export function belongsTo(slug: string, branch: string): boolean {
  return branch === contractBranch(slug) || branch.startsWith(`${contractBranch(slug)}.`);
}
