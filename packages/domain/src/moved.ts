/**
 * What an agent is told that goes on in its conversation on another machine: its directory did not come along, and
 * what the new one begins with.
 *
 * Law: it says no more than is known. The order of `movedTo` is the order in which a machine decides where a new
 * directory begins.
 */

/** What the new directory begins with. */
export type MovedTo =
  | { readonly kind: 'checkpoint'; readonly number: number }
  /** The checkpoint's files are too large to travel. */
  | { readonly kind: 'below_checkpoint'; readonly number: number }
  /** The commit where the task began, or nothing at all. */
  | { readonly kind: 'began' }
  | { readonly kind: 'continued' }
  | { readonly kind: 'start_branch'; readonly branch: string }
  | { readonly kind: 'contract_branch' }
  | { readonly kind: 'base_branch' };

export interface MovedFacts {
  readonly hasRepository: boolean;
  /** The one that it goes back to: a person's choice, else its last. */
  readonly checkpoint: { readonly number: number; readonly travels: boolean } | null;
  /** It was to begin at a commit of somebody's choice. */
  readonly isPinned: boolean;
  readonly continues: boolean;
  readonly startBranch: string | null;
  readonly inContract: boolean;
  /** Where the contract's branch stands, as far as it is known. */
  readonly branchSha: string | null;
  /** Where the task's first directory began. */
  readonly begunSha: string | null;
}

export function movedTo(facts: MovedFacts): MovedTo {
  const { checkpoint, startBranch, branchSha, begunSha } = facts;
  if (!facts.hasRepository) return { kind: 'began' };
  if (checkpoint?.travels === true) return { kind: 'checkpoint', number: checkpoint.number };
  if (facts.isPinned) return { kind: 'began' };
  if (checkpoint !== null) return { kind: 'below_checkpoint', number: checkpoint.number };
  if (facts.continues) return { kind: 'continued' };
  if (startBranch !== null) return { kind: 'start_branch', branch: startBranch };
  if (!facts.inContract) return { kind: 'base_branch' };
  const stands = branchSha !== null && branchSha === begunSha;
  return stands ? { kind: 'began' } : { kind: 'contract_branch' };
}

/** How the word begins that tells an agent that it goes on in another directory. */
export const movedStart = '[Moved]';

export function movedNotice(to: MovedTo): string {
  return `${movedStart} You go on on another machine, in a new working directory. ${holds(to)}: whatever else you wrote or committed and was not merged is not here. Look at what is there, and do again what is missing.`;
}

function holds(to: MovedTo): string {
  switch (to.kind) {
    case 'checkpoint':
      return `It holds what stood in your checkpoint ${to.number}`;
    case 'below_checkpoint':
      return `Your checkpoint ${to.number} was too large to come along, and it begins at the commit below it that the repository itself has`;
    case 'began':
      return 'It begins where your task began';
    case 'continued':
      return 'It begins with the work of the task that yours continues';
    case 'start_branch':
      return `It begins at the branch ${to.branch} as it stands now`;
    case 'contract_branch':
      return "It begins at the contract's branch as it stands now, with all that was merged into it since your task began";
    case 'base_branch':
      return "It begins at the repository's base branch as it stands now";
  }
}
