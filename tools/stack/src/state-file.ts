// The state of a running stack, for whoever is not the process that runs it.
// Why: status, down and logs are other processes; this file tells them whom to ask.
// Law: written whole or not at all, holds no secret, and its process ids are only believed
// together with their start times.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

export type ProcessKind = 'postgres' | 'redis' | 'service' | 'daemon';

export interface ProcessRecord {
  name: string;
  kind: ProcessKind;
  /** Null for a process that listens nowhere. */
  port: number | null;
  pid: number | null;
  startTime: string | null;
  restarts: number;
}

export interface StackState extends ProcessIdentity {
  /** Address of the API. */
  url: string;
  /** Whether every process has answered once. */
  ready: boolean;
  stores: { postgres: 'embedded' | 'external'; redis: 'embedded' | 'external' };
  processes: ProcessRecord[];
}

export const stateFile = (home: Home): string => join(home.run, 'stack.json');

export const writeState = (home: Home, state: StackState): void => {
  const draft = `${stateFile(home)}.new`;
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, stateFile(home));
};

export const removeState = (home: Home): void => rmSync(stateFile(home), { force: true });

/** What the file says, whether or not it is still true. */
export const readState = (home: Home): StackState | undefined => {
  try {
    return JSON.parse(readFileSync(stateFile(home), 'utf8')) as StackState;
  } catch {
    return undefined;
  }
};

/** The state of the stack that runs now. */
export const runningState = (home: Home): StackState | undefined => {
  const state = readState(home);
  return state && isAlive(state) ? state : undefined;
};
