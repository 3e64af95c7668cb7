/**
 * What became of a contract's branch when it was brought into the local repository it came from, in words.
 *
 * Law: what was asked for and not done is always said, with its reason.
 */
export interface Delivered {
  readonly branch: string;
  /** Where the branch stands in the person's repository; null when it could not be brought there. */
  readonly commitSha: string | null;
  readonly baseMoved: boolean;
  /** One sentence of the machine: where what moved last stands, or why it could not move. */
  readonly note: string;
}

/** `merge`: the base branch was to move to it, too. */
export type DeliveryWish = 'branch' | 'merge';

/** One line for people. */
export function deliveryWords(of: Delivered, wish: DeliveryWish): string {
  if (of.commitSha === null) return `${of.branch} was not brought into the repository: ${of.note}`;
  if (wish === 'branch') return `${of.branch} is in the repository at ${of.commitSha.slice(0, 12)}`;
  return of.baseMoved
    ? `${of.branch} is merged: ${of.note}`
    : `${of.branch} is in the repository, but not merged: ${of.note}`;
}
