/**
 * What a failed request to an agent says of the model's house: ACP has no word for it, so agents put a status
 * into the error's code and everything else into its message.
 *
 * Law: total; a status is only told when the agent told one, a time only when it can be read.
 */
import { apiErrorKind } from './api-error.ts';
import type { AcpFailure } from './acp-profile.ts';
import type { ApiError } from './events.ts';
import { jsonOf, numberOf, objectOf, textOf } from './json.ts';

/** A told wait of at least this long is a limit of the plan, not a bump in the road. */
export const limitMs = 60_000;

const brokenOff =
  /^terminated$|fetch failed|socket|ECONN|ETIMEDOUT|EPIPE|network|connection (was )?(closed|reset|lost|error)/i;
const signInCode = -32_000;

/** Statuses of the model's house that another try may mend. */
export function mayPass({ kind }: ApiError): boolean {
  return kind === 'rate_limit' || kind === 'overloaded' || kind === 'server' || kind === 'network';
}

export function failureOf(cause: unknown): AcpFailure {
  const told = objectOf(cause);
  const code = numberOf(told.code);
  const words = cause instanceof Error ? cause.message : (textOf(told.message) ?? 'It failed.');
  const { message, status: written } = unwrapped(words);
  const details = textOf(objectOf(told.data).details);
  const whole = details === null ? message : `${message}: ${details}`;
  if (brokenOff.test(message)) {
    return { error: { kind: 'network', status: null, message: whole }, againAtMs: null };
  }
  const status = code !== null && code >= 400 && code < 600 ? code : written;
  const kind = code === signInCode ? 'auth' : apiErrorKind(status, [whole]);
  return { error: { kind, status, message: whole }, againAtMs: againAtMs(whole) };
}

/** Some agents give the body of the house's answer as their message. */
function unwrapped(words: string): { readonly message: string; readonly status: number | null } {
  const error = objectOf(jsonOf(words)?.error);
  const message = textOf(error.message);
  return message === null
    ? { message: words, status: null }
    : { message, status: numberOf(error.code) };
}

function againAtMs(message: string): number | null {
  const seconds = /(?:retry|try again) (?:after|in) (\d+(?:\.\d+)?) ?s/i.exec(message)?.[1];
  return seconds === undefined ? null : Date.now() + Math.ceil(Number(seconds) * 1000);
}
