/**
 * What a person may permit an agent in one single case: an act beyond its contract's own branches.
 *
 * Law: a permission is for the very act that was shown, and for no other.
 */

export type Permit =
  | {
      readonly act: 'open_pull_request';
      readonly branch: string;
      readonly baseBranch: string | null;
      /** Where the branch stood when a person was asked: what is merged after that, they have not seen. */
      readonly commitSha: string;
    }
  | { readonly act: 'merge'; readonly taskId: string; readonly targetBranch: string };

/** So often a person is asked for the same before no means no. */
export const permitAsksMax = 3;
