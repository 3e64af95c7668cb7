/**
 * A client-side time limit round any promise. A server that stops answering does not honour its own
 * timeouts, so whoever calls it over a network races it here.
 *
 * Law: the caller gets an answer or a DeadlineError within `deadlineMs`; the function learns of it through
 * its signal, and a rejection that comes later is swallowed, never unhandled.
 */

/** What a deadline throws. `name` is `DeadlineError`, so that it can be told apart after serialisation. */
export class DeadlineError extends Error {
  readonly deadlineMs: number;

  constructor(what: string, deadlineMs: number) {
    super(`${what} took longer than ${deadlineMs} ms`);
    this.name = 'DeadlineError';
    this.deadlineMs = deadlineMs;
  }
}

/**
 * Run `fn` and reject with DeadlineError when it has not settled after `deadlineMs`.
 * `what` names the work in the message. The signal given to `fn` is aborted with that same error.
 */
export function withDeadline<T>(
  deadlineMs: number,
  fn: (signal: AbortSignal) => Promise<T> | T,
  what = 'operation',
): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new DeadlineError(what, deadlineMs);
      controller.abort(error);
      reject(error);
    }, deadlineMs);
    void (async () => fn(controller.signal))()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
