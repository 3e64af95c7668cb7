// Makes this machine's daemon known to the control plane, once.
// Why: `up` ends with a machine that can work, without a second command.
// Law: tokens travel over standard input and files of mode 0600, never over a command line.
import { existsSync } from 'node:fs';
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

export type Enrolment = 'enrolled' | 'known' | 'no-owner-key';

/** Enrols the local daemon if it has no token yet. */
export const enrolDaemon = async (options: EnrolOptions): Promise<Enrolment> => {
  if (existsSync(daemonTokenFile(options.home))) return 'known';
  const ownerKey = readOwnerKey(options.home);
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
  return 'enrolled';
};

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
