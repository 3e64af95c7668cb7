/**
 * Where a repository may be: an https or ssh URL without credentials, or an absolute path on the daemon's
 * machine. The daemon looks again before git sees it; here a mistake is told at once.
 *
 * Law: a refused value is never repeated in the answer: it may hold a password.
 */
import { MakimaError } from '@makima/domain/error';

const urlMaxChars = 2_048;
const scp = /^[a-z_][a-z0-9_-]{0,31}@[a-z0-9][a-z0-9.-]*:(?!\/\/)[^:-][^:]*$/i;

export function checkRepositoryPlace(place: {
  readonly repositoryUrl?: string | null | undefined;
  readonly localPath?: string | null | undefined;
}): void {
  if (place.repositoryUrl != null) checkUrl(place.repositoryUrl);
  if (place.localPath != null) checkPath(place.localPath);
}

function checkUrl(text: string): void {
  if (text.length > urlMaxChars || /[\p{Cc}\s\\]/u.test(text) || text.startsWith('-')) {
    throw refused('/repositoryUrl', 'has characters that no repository URL has');
  }
  if (/%00|%0a|%0d/i.test(text)) throw refused('/repositoryUrl', 'has hidden control characters');
  if (scp.test(text)) return;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'ssh:')) {
    throw refused('/repositoryUrl', 'must be https or ssh; a folder goes into localPath');
  }
  if (url.password !== '' || (url.protocol === 'https:' && url.username !== '')) {
    throw refused('/repositoryUrl', 'must not hold credentials');
  }
  if (url.username.startsWith('-') || url.hostname === '' || url.hostname.startsWith('-')) {
    throw refused('/repositoryUrl', 'has no proper host');
  }
  if (url.pathname.replaceAll('/', '') === '' || url.pathname.includes('/-')) {
    throw refused('/repositoryUrl', 'has no proper path');
  }
}

function checkPath(text: string): void {
  if (/^(\/|[a-z]:[/\\])/i.test(text) && !/\p{Cc}/u.test(text)) return;
  throw refused('/localPath', 'must be an absolute path on the machine of the daemon');
}

function refused(pointer: string, detail: string): MakimaError {
  return new MakimaError('VALIDATION_FAILED', `the repository's place is not accepted: ${detail}`, {
    details: { errors: [{ pointer, detail }] },
  });
}
