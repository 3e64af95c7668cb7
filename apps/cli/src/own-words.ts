/**
 * What the server advises, in the words of the command line.
 *
 * Why: the API speaks to whoever calls it, of headers and addresses; a person here has variables and commands.
 * Law: an advice without another wording stays as the server gave it.
 */
import { MakimaError } from '@makima/domain/error';

const wordings: readonly (readonly [RegExp, string])[] = [
  [
    /Authorization: Bearer/,
    'set MAKIMA_TOKEN to a key that works; when it is unset, the key that is kept for this server is taken',
  ],
  [/POST \/api\/v1\/keys/, 'set MAKIMA_TOKEN to a key with that scope: makima keys create --help'],
  [
    /POST \/api\/v1\/contracts\/\S+\/repositories|`repositories` of this request/,
    'create it with one: makima contracts create "<goal>" --repo <path>',
  ],
  [/GET \/reference/, '--help after the command shows what it takes'],
];

export function inOwnWords(error: MakimaError): MakimaError {
  const found = wordings.find(([advice]) => error.fix !== undefined && advice.test(error.fix));
  if (found === undefined) return error;
  const { code, message, details, retryable } = error;
  return new MakimaError(code, message, { details, retryable, fix: found[1], cause: error });
}
