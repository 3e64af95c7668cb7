/**
 * How the git room says no: `GitFailure` when git itself failed, `refuse` when we did not even ask it.
 *
 * Law: a failure names the verb, the exit and what git said, trimmed and without credentials; every
 * refusal has a reason that a program can read and a fix that a person can follow.
 *
 * export class GitFailure extends MakimaError   (code GIT_FAILED)
 * export refuse(reason: RefusalReason, message, fix?, details?): MakimaError   (code GIT_FAILED)
 * export invalid(field, reason, message): MakimaError   (code VALIDATION_FAILED)
 * export hasReason(error, reason): boolean
 */
import { MakimaError } from '@makima/domain/error';

/** `details.reason` of what the git room refuses. */
export type RefusalReason =
  | 'source_missing'
  | 'source_empty'
  | 'source_shallow'
  | 'source_unreachable'
  | 'source_foreign_owner'
  | 'not_a_repository'
  | 'not_local'
  | 'not_https'
  | 'host_refused'
  | 'ref_missing'
  | 'base_missing'
  /** The source has no branch of this name: unlike a base that only another machine has. */
  | 'branch_missing'
  | 'branch_elsewhere'
  | 'branch_exists'
  | 'branch_moved'
  | 'directory_taken'
  | 'directory_unsafe'
  | 'directory_missing'
  | 'git_dir_replaced'
  | 'git_dir_foreign_objects'
  | 'git_dir_unreadable'
  | 'case_clash'
  | 'copy_refused'
  | 'patch_refused'
  | 'too_large'
  | 'unrelated_histories'
  | 'checked_out'
  | 'diverged'
  | 'dirty'
  | 'busy'
  | 'lock_timeout';

export interface GitFailureFacts {
  /** The git command's name, such as `fetch`. */
  readonly verb: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ending: 'exit' | 'timeout' | 'overflow' | 'aborted' | 'spawn_failed';
  readonly stderr: string;
}

const stderrMaxChars = 2_000;

export class GitFailure extends MakimaError {
  readonly verb: string;
  readonly exitCode: number | null;
  readonly ending: GitFailureFacts['ending'];
  readonly stderr: string;

  constructor(facts: GitFailureFacts, cause?: unknown) {
    const stderr = withoutCredentials(facts.stderr).trim().slice(0, stderrMaxChars);
    super('GIT_FAILED', sentence(facts, stderr), {
      details: {
        reason: 'git_failed',
        verb: facts.verb,
        exitCode: facts.exitCode,
        signal: facts.signal,
        ending: facts.ending,
        stderr,
      },
      retryable: facts.ending === 'timeout' || facts.ending === 'aborted',
      cause,
    });
    this.name = 'GitFailure';
    this.verb = facts.verb;
    this.exitCode = facts.exitCode;
    this.ending = facts.ending;
    this.stderr = stderr;
  }
}

export function refuse(
  reason: RefusalReason,
  message: string,
  fix?: string,
  details: Readonly<Record<string, unknown>> = {},
): MakimaError {
  return new MakimaError('GIT_FAILED', message, {
    details: { reason, ...details },
    ...(fix === undefined ? {} : { fix }),
  });
}

/** A name, path or URL that is not acceptable. The value itself is never echoed. */
export function invalid(field: string, reason: string, message: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', message, { details: { field, reason } });
}

export function hasReason(error: unknown, reason: RefusalReason): boolean {
  return error instanceof MakimaError && error.details['reason'] === reason;
}

function sentence(facts: GitFailureFacts, stderr: string): string {
  switch (facts.ending) {
    case 'timeout':
      return `git ${facts.verb} took too long and was stopped`;
    case 'overflow':
      return `git ${facts.verb} produced more output than allowed and was stopped`;
    case 'aborted':
      return `git ${facts.verb} was stopped`;
    case 'spawn_failed':
      return `git ${facts.verb} could not be started`;
    case 'exit': {
      const line = stderr.split('\n').findLast((text) => text !== '') ?? 'no message';
      return `git ${facts.verb} failed: ${line.slice(0, 300)}`;
    }
  }
}

/** git prints URLs as they were given; a user:token@ in them must not reach a log or the server. */
function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]*@/gi, '$1');
}
