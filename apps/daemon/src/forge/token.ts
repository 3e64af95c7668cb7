/**
 * The forge's token: read from its file when it is needed, so that a new one counts at once.
 *
 * Law: it is known to the redaction of everything that leaves the daemon before anybody uses it; a file that
 * other users of the machine can read is refused.
 */
import { open } from 'node:fs/promises';
import { MakimaError } from '@makima/domain/error';
import type { RemoteAccess } from '../git/credentials.ts';
import type { ForgeSettings } from './settings.ts';
import { secretShortestChars, type Secrets } from '../secrets.ts';

const tokenMaxBytes = 4_096;
/**
 * What a token may be made of: it stands in a header and in git's list of credentials. A shorter one would not
 * be redacted.
 */
const tokenPattern = new RegExp(`^[\\x21-\\x7e]{${secretShortestChars},}$`);

export async function readToken(file: string, secrets: Pick<Secrets, 'add'>): Promise<string> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? missing(file) : unusable(file, 'cannot be read');
  });
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > tokenMaxBytes) throw unusable(file, 'is no token');
    if ((found.mode & 0o077) !== 0)
      throw unusable(file, 'can be read by other users', `chmod 600 ${file}`);
    const token = (await handle.readFile('utf8')).trim();
    if (!tokenPattern.test(token)) throw unusable(file, 'holds no token');
    secrets.add('forge-token', token);
    return token;
  } finally {
    await handle.close();
  }
}

/**
 * How repositories of this host are reached by https: with the forge's token, when there is one that can be used.
 * Public ones need none, so a file that is not as it should be is no reason to refuse here.
 */
export async function accessTo(
  host: string,
  forge: Pick<ForgeSettings, 'host' | 'tokenFile' | 'caFile'>,
  secrets: Pick<Secrets, 'add'>,
): Promise<RemoteAccess | null> {
  if (host !== forge.host) return null;
  const token = await readToken(forge.tokenFile, secrets).catch(() => null);
  return { token, caFile: forge.caFile };
}

function missing(file: string): MakimaError {
  return new MakimaError('COMMAND_FAILED', 'the machine has no token for pull requests', {
    details: { reason: 'token_missing' },
    fix: `put a token that may push and open pull requests into ${file} on that machine (chmod 600)`,
  });
}

function unusable(file: string, why: string, fix = `put a token into ${file}`): MakimaError {
  return new MakimaError('COMMAND_FAILED', `the machine's token file ${why}`, {
    details: { reason: 'token_unusable' },
    fix,
  });
}
