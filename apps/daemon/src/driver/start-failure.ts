/**
 * Why an agent could not be started: one closed list of reasons inside the house's one error class.
 *
 * Law: whoever decides what follows (new session, other daemon, ask the person) reads the reason, never the
 * text.
 */
import { isMakimaError, MakimaError } from '@makima/domain/error';

export type StartFailureReason =
  /** The program is not there. */
  | 'not_found'
  /** The program is there and nobody is signed in. */
  | 'not_signed_in'
  /** Resume of a conversation of which there is no transcript: start a new one and say so. */
  | 'no_conversation'
  /** The conversation is already in use by a run. */
  | 'in_use'
  /** It did not become ready in time. */
  | 'start_timeout'
  /** It ended before it was ready. */
  | 'exited'
  /** The start was asked for with arguments that cannot be carried out. */
  | 'bad_spec';

export function startFailure(
  reason: StartFailureReason,
  message: string,
  options: { readonly fix?: string; readonly cause?: unknown; readonly output?: string } = {},
): MakimaError {
  return new MakimaError('COMMAND_FAILED', message, {
    details:
      options.output === undefined ? { reason } : { reason, output: options.output.slice(-4000) },
    ...(options.fix === undefined ? {} : { fix: options.fix }),
    ...(options.cause === undefined ? {} : { cause: options.cause }),
    retryable: reason === 'start_timeout' || reason === 'exited',
  });
}

/** The reason of a failed start, or null for any other error. */
export function startFailureReason(error: unknown): StartFailureReason | null {
  if (!isMakimaError(error) || error.code !== 'COMMAND_FAILED') return null;
  const { reason } = error.details;
  return typeof reason === 'string' ? (reason as StartFailureReason) : null;
}
