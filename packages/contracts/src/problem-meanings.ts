/**
 * What each error code means and what to do about it: for the reference page, and as the `fix` of an answer whose
 * thrower knew no better one.
 *
 * Law: every code of the closed list has its words; the types see to it.
 */
import type { ErrorCode } from '@makima/domain/error';

export interface Meaning {
  readonly means: string;
  readonly act: string;
}

export const problemMeanings: Readonly<Record<ErrorCode, Meaning>> = {
  CONTRACT_NOT_FOUND: {
    means: 'There is no contract with this id, or it is not one that the key may see.',
    act: 'List the contracts and take the id from there.',
  },
  INVALID_TRANSITION: {
    means: 'The thing is in a state from which this step is not possible.',
    act: 'Read its status, and take a step that this status allows.',
  },
  VERSION_CONFLICT: {
    means: 'It changed since it was read.',
    act: 'Read it again, look at `details` (expected, actual, current), and decide anew.',
  },
  PHASE_GUARD_REQUIRED: {
    means:
      'The phase is guarded: a person has to confirm that it may be left. The request for it is open.',
    act: 'A person answers the question named in `details`, in the inbox or with `makima contracts advance --confirm`.',
  },
  INVALID_DELIVERABLE: {
    means: 'The phase has no such deliverable, or its evidence does not hold.',
    act: '`details` names the valid ids, or what the check found.',
  },
  SUPERVISOR_NOT_FOUND: {
    means: 'The contract has no supervisor yet.',
    act: 'Start the contract.',
  },
  SUPERVISOR_DEAD: {
    means: 'The supervisor has not been heard of for too long.',
    act: 'It is restored by itself; `why` tells what it waits for.',
  },
  VALIDATION_FAILED: {
    means: 'Something in the path, query, headers or body is missing, wrong or unknown.',
    act: 'Mend what is named: each entry of `errors` has a JSON pointer and says what is wrong there.',
  },
  NOT_SUPERVISOR: {
    means: 'Only the supervisor of the contract may do this; the caller is an agent of a task.',
    act: 'Leave it to the supervisor, or finish and say so in the result.',
  },
  NO_CONTEXT: {
    means: 'The call needs the contract and task that an agent’s key carries.',
    act: 'An agent calls it with its tool key.',
  },
  NO_DIRECTIVE: {
    means: 'The task belongs to no directive.',
    act: 'Orders are placed by agents of directives.',
  },
  INVALID_ORDER_TYPE: {
    means: 'An order is a spike or a chore.',
    act: 'Use one of the two.',
  },
  NO_DAEMON: {
    means: 'No connected machine can do this now.',
    act: 'Start the daemon on that machine (`makima daemon start`), then try again.',
  },
  COMMAND_FAILED: {
    means: 'The machine tried and failed; the message says why.',
    act: 'Mend the cause, then try again.',
  },
  DAEMON_ERROR: {
    means: 'The machine answered with an error of its own.',
    act: 'Look at the log of its daemon.',
  },
  ALREADY_RUNNING: {
    means: 'It is running; there is nothing to start.',
    act: 'Nothing, or stop it first.',
  },
  INVALID_RESUME_MODE: {
    means: 'There is no such way to resume.',
    act: 'Use continue, restart_phase or from_checkpoint.',
  },
  MISSING_REPO_URL: {
    means: 'No repository was named and the contract has none to fall back on.',
    act: 'Add a repository to the contract.',
  },
  QUESTION_ANSWERED: {
    means: 'Somebody was first: the question has its answer.',
    act: '`details` names who answered and what.',
  },
  DEPENDENCY_UNAVAILABLE: {
    means: 'The store does not answer, or this process is about to stop.',
    act: 'Try the same request again after `Retry-After`.',
  },
  NOT_FOUND: {
    means: 'There is nothing at this address, or nothing that the key may see.',
    act: 'Check the id and the path: a list of its kind has what there is.',
  },
  UNAUTHENTICATED: {
    means: 'No valid key was sent.',
    act: 'Send `Authorization: Bearer <key>`, spelled like this, once.',
  },
  FORBIDDEN: {
    means: 'The key is valid and may not do this.',
    act: 'Use a key that may; an agent asks a person.',
  },
  FENCED: {
    means: 'The caller belongs to an attempt that is over; a newer one goes on.',
    act: 'Stop.',
  },
  CONFLICT: {
    means: 'It would break something that must hold, such as a unique name.',
    act: '`details` names what.',
  },
  CONFIRMATION_REQUIRED: {
    means: 'The act destroys something and wants to be confirmed.',
    act: 'Send it again with `confirm=true`.',
  },
  CONFIRMATION_VOID: {
    means: 'What was to be confirmed has changed meanwhile.',
    act: 'Look at the new request for confirmation.',
  },
  IDEMPOTENCY_MISMATCH: {
    means: 'This Idempotency-Key was used with another request.',
    act: 'Use a new key for a new request.',
  },
  IDEMPOTENCY_IN_FLIGHT: {
    means: 'The first request with this Idempotency-Key is still at work.',
    act: 'Try again after `Retry-After`; the answer of the first comes back.',
  },
  WAIT_TIMED_OUT: {
    means: 'Nobody answered in the time that was given. The question stays open.',
    act: 'Wait again with its id, or go on without.',
  },
  OPERATION_TIMED_OUT: {
    means: 'The machine did not report in time. The work may still end.',
    act: 'Read the operation named in `details` later.',
  },
  PAYLOAD_TOO_LARGE: {
    means: 'The body, a header or the URL is larger than allowed.',
    act: 'Send less; `details` has the limit.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    means: 'A body is JSON, uncompressed, and says so.',
    act: 'Send `Content-Type: application/json` and no `Content-Encoding`.',
  },
  METHOD_NOT_ALLOWED: {
    means: 'The path exists and does not know this method.',
    act: 'Use one of those in `Allow`.',
  },
  MISDIRECTED_REQUEST: {
    means: 'The request was addressed to a name that this server does not go by.',
    act: 'Use its own address, or add the name to MAKIMA_ALLOWED_HOSTS.',
  },
  RATE_LIMITED: {
    means: 'Too many requests.',
    act: 'Wait for `Retry-After`; the `RateLimit` header counts down.',
  },
  LIMIT_EXCEEDED: {
    means: 'A limit of the contract, the owner or the key is reached.',
    act: '`details` names it; `retryable` tells whether time helps.',
  },
  GIT_FAILED: {
    means: 'git refused; the message is its own.',
    act: 'Mend the repository, then try again.',
  },
  INTERNAL: {
    means: 'Something went wrong on our side.',
    act: 'Look for the request id in the log of the API.',
  },
};
