/** What becomes of a task's work when it is done, by itself. */

/**
 * `branch`: handed over as a branch, into a repository on the machine where one is named or the work comes from
 * one. `merge`: merged into its target branch. `pr`: pushed and proposed as a pull request.
 */
export const completionActions = ['none', 'branch', 'merge', 'pr'] as const;

export type CompletionAction = (typeof completionActions)[number];
