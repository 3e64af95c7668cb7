/**
 * Sizes that both ends of a wire must agree on. Limits of the domain stand in `domain/limits.ts`; these
 * are about bytes on a socket or in a request.
 *
 * Law: units last in the name; one table.
 */
export const wireLimits = {
  /** Largest frame of a daemon; more closes the socket with 1009. */
  daemonFrameBytes: 1_048_576,
  /** Largest command; a daemon reads frames of 8 MiB. */
  commandBytes: 7_340_032,
  /** Most bytes of messages within the command that starts an agent; the others follow singly. */
  startMessagesBytes: 262_144,
  /** Largest frame of a person's socket. */
  monitorFrameBytes: 65_536,
  /** Largest HTTP body. */
  httpBodyBytes: 1_048_576,
  /** Most bytes of agent output in one report. */
  outputBatchBytes: 262_144,
  /** Most lines of agent output in one report. */
  outputBatchLines: 500,
  /** Longest single line of output; the rest is cut and the cut is shown. */
  outputLineBytes: 65_536,
  /** Largest part of a patch or transcript in one report. */
  chunkBytes: 262_144,
  /** Largest pack of a task's commits that travels between machines. */
  packBytes: 33_554_432,
  /** Largest pack of a contract's branch that the control plane keeps for other machines. */
  branchPackBytes: 16_777_216,
  /** Longest text of a plan, prompt or goal. */
  planChars: 262_144,
  /** Longest question, answer or message. */
  messageChars: 65_536,
  /** Longest name of anything. */
  nameChars: 200,
} as const;
