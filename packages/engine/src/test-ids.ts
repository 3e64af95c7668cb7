/** The ids that verbs are called with; all of one contract. */
export interface Ids {
  readonly contractId: string;
  /** Another task of the contract than the supervisor's: done. */
  readonly taskId: string;
  readonly pausedTaskId: string;
  readonly runningTaskId: string;
  readonly questionId: string;
  /** To the running task. */
  readonly messageId: string;
  readonly operationId: string;
  readonly repositoryId: string;
  readonly daemonId: string;
  readonly keyId: string;
  /** With an agent at work. */
  readonly directiveId: string;
  /** Open. */
  readonly orderId: string;
  readonly webhookId: string;
  /** Delivered. */
  readonly deliveryId: string;
}
