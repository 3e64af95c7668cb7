/**
 * Names of the Redis pub/sub channels. A hint carries no data that anybody trusts: whoever is woken reads
 * the truth in Postgres, and scans when the hint is lost.
 *
 * Law: no channel name is written as a literal anywhere else.
 */
export const channels = {
  /** Commands wait for this daemon; its gateway delivers them. */
  daemonWake: (daemonId: string) => `mk1:daemon:${daemonId}`,
  /** Somebody asks this daemon something; body: the id of the ask. Its gateway answers. */
  daemonAsked: (daemonId: string) => `mk1:asked:${daemonId}`,
  /** An ask has its answer. */
  askAnswered: (askId: string) => `mk1:answered:${askId}`,
  /** A task reached a status that a waiter may wait for. */
  taskDone: (taskId: string) => `mk1:task:${taskId}`,
  /** A wait row was satisfied. */
  waitDone: (waitId: string) => `mk1:wait:${waitId}`,
  /** A question was answered or withdrawn. */
  questionDone: (questionId: string) => `mk1:question:${questionId}`,
  /** A message has another receipt. */
  messageReceived: (messageId: string) => `mk1:message:${messageId}`,
  /** A long git operation has its result. */
  operationDone: (operationId: string) => `mk1:operation:${operationId}`,
  /** Events of this owner were committed; payload: `{contractId, seq}` as a place to look. */
  ownerEvents: (ownerId: string) => `mk1:events:${ownerId}`,
  /** Supervisors of this owner gave a sign of life; body: ids of their contracts, by commas, as a place to look. */
  heartbeats: (ownerId: string) => `mk1:heartbeats:${ownerId}`,
  /** Output of this task was stored. */
  taskOutput: (taskId: string) => `mk1:output:${taskId}`,
  /** A key was revoked: sockets and streams that live on it close. */
  keyRevoked: () => 'mk1:key-revoked',
} as const;

/** A hint to publish after commit: best effort, at most 1 KB. */
export interface Hint {
  readonly channel: string;
  readonly body: string;
}
