/** The patience of requests with machines. */

/** How long a request is held for a machine's work of each kind. */
export const machineHolds = {
  checkpointMs: 10_000,
  mergeMs: 60_000,
  branchMs: 60_000,
  diffMs: 30_000,
  pullRequestMs: 60_000,
} as const;

export type MachineHolds = { readonly [K in keyof typeof machineHolds]: number };
