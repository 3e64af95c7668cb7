/**
 * Every limit of the system, in one table: the defaults of settings.
 *
 * Law: units stand in the names. Over a limit is an answer with a code (413, 429, 400), never a silent cut.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  httpBodyMaxBytes: 1 * MiB,
  historyImportMaxBytes: 16 * MiB,
  httpHeaderMaxBytes: 16 * KiB,
  urlMaxBytes: 4 * KiB,
  jsonMaxDepth: 32,
  arrayMaxItems: 10_000,
  planMaxBytes: 256 * KiB,
  tasksPerContractMax: 200,
  openQuestionsPerContractMax: 50,
  openWaitsPerTaskMax: 100,
  undeliveredMessagesPerTaskMax: 100,
  undeliveredMessagesPerTaskMaxBytes: 1 * MiB,
  openChildrenPerSupervisorMax: 20,
  taskDepthMax: 5,
  spawnsPerContractPerMinuteMax: 30,
  needsPerTaskMax: 50,
  loopRoundsMax: 20,
  openTasksPerDirectiveMax: 10,
  openOrdersPerDirectiveMax: 200,
  questionAutoHoldMs: 30_000,
  requestsPerKeyPerMinuteMax: 300,
  failedAuthPerAddressPerMinuteMax: 10,
  monitorSocketsPerOwnerMax: 20,
  outputPerAttemptMaxBytes: 50 * MiB,
  outputLineMaxBytes: 64 * KiB,
  readFileMaxBytes: 1 * MiB,
  daemonFrameMaxBytes: 1 * MiB,
  monitorFrameMaxBytes: 64 * KiB,
  outboxPayloadMaxBytes: 2 * KiB,
  maxRetriesPerTask: 3,
  restorationsPerWindowMax: 5,
  restorationWindowMs: 15 * 60_000,
  contractTypesPerOwnerMax: 100,
  webhooksPerOwnerMax: 20,
  replayedDeliveriesMax: 10_000,
} as const;

export type Limits = { readonly [K in keyof typeof limits]: number };
