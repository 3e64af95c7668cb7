// Makes this machine's daemon known to the control plane: once, and again after its key was revoked.
// Why: `up` ends with a machine that can work, without a second command.
// Law: tokens travel over standard input and files of mode 0600, never over a command line.
import { existsSync, readFileSync } from 'node:fs';
import { daemonTokenFile, readOwnerKey, type Home } from './home.ts';
import type { LogFile } from './log-file.ts';
import { nodeProgram, runToEnd } from './run-node.ts';

export interface EnrolOptions {
  home: Home;
  apiUrl: string;
  daemonMain: string;
  daemonEnv: NodeJS.ProcessEnv;
  cwd: string;
  log: LogFile;
}

export type Enrolment = 'enrolled' | 'enrolled-anew' | 'known' | 'no-owner-key';

/**
 * Enrols the local daemon if it has no key that the API knows.
 * @throws when its key was revoked and no owner key is here to enrol it anew.
 */
export const enrolDaemon = async (options: EnrolOptions): Promise<Enrolment> => {
  const hasKey = existsSync(daemonTokenFile(options.home));
  if (hasKey && !(await isRefused(options))) return 'known';
  const ownerKey = readOwnerKey(options.home) || undefined;
  if (ownerKey === undefined && hasKey) throw new Error(revokedText(options.home));
  if (ownerKey === undefined) return 'no-owner-key';
  await runToEnd({
    name: 'enrolling the daemon of this machine',
    program: nodeProgram(
      options.daemonMain,
      ['join', '--token-stdin'],
      options.daemonEnv,
      options.cwd,
    ),
    log: options.log,
    input: `${await askForToken(options.apiUrl, ownerKey)}\n`,
    timeoutMs: 30_000,
  });
  return hasKey ? 'enrolled-anew' : 'enrolled';
};

/** Whether the API says that nobody has the daemon's key; whatever else goes wrong, the daemon tries it. */
const isRefused = async ({ apiUrl, home }: EnrolOptions): Promise<boolean> => {
  const key = readFileSync(daemonTokenFile(home), 'utf8').trim();
  try {
    const response = await fetch(`${apiUrl}/api/v1/whoami`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(15_000),
    });
    await response.body?.cancel();
    return response.status === 401;
  } catch {
    return false;
  }
};

const revokedText = (home: Home): string =>
  `this machine was revoked, and no owner key is here to let it join again: remove ${daemonTokenFile(home)} to start without it, then makima daemon join with a token of makima daemon enrol`;

const askForToken = async (apiUrl: string, ownerKey: string): Promise<string> => {
  // Loaded here because it is needed once in the life of a home, and costs each start 100 ms.
  const { createEnrolment } = await import('@makima/contracts/http/system');
  const response = await fetch(`${apiUrl}${createEnrolment.path}`, {
    method: createEnrolment.method,
    headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(
      `the API gave no enrolment for the daemon: ${response.status} ${text.slice(0, 300)}`,
    );
  }
  return createEnrolment.response.parse(JSON.parse(text)).token;
};
