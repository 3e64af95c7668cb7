/**
 * The daemon's folder and who owns it: one daemon per folder.
 *
 * Law: everything that the daemon keeps lies below; the lock names its owner by pid and start time, so that
 * the lock of a daemon that died is no obstacle and a reused pid is not taken for it.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, isAlive, processRow } from './driver/process-table.ts';

export interface Home {
  readonly root: string;
  readonly journal: string;
  /** One folder per run of an agent. */
  readonly runs: string;
  /** One file per task. */
  readonly tasks: string;
  /** Stores, working directories. */
  readonly git: string;
  /** Refs of kept work that were told of, each with what it held. */
  readonly toldFile: string;
  /** Conversations of agents that keep theirs where we say. */
  readonly sessions: string;
  /** Programs that agents find on their PATH. */
  readonly bin: string;
  /** How the running daemon fares, for `status`. */
  readonly statusFile: string;
}

export function homeAt(root: string): Home {
  return {
    root,
    journal: join(root, 'journal'),
    runs: join(root, 'runs'),
    tasks: join(root, 'tasks'),
    git: join(root, 'git'),
    toldFile: join(root, 'kept-told'),
    sessions: join(root, 'sessions'),
    bin: join(root, 'bin'),
    statusFile: join(root, 'status.json'),
  };
}

interface Owner {
  readonly pid: number;
  readonly startTime: number;
  readonly bootId: string;
}

/**
 * Makes the folder and takes it for this process; the returned function gives it back.
 * @throws Error naming the pid when a living daemon has it.
 */
export function takeHome(home: Home): () => void {
  mkdirSync(home.root, { recursive: true, mode: 0o700 });
  const file = join(home.root, 'daemon.lock');
  const owner = readOwner(file);
  if (owner !== null && owner.bootId === bootId() && isAlive(owner) && owner.pid !== process.pid) {
    throw new Error(`a daemon (pid ${owner.pid}) already runs on ${home.root}`);
  }
  const mine: Owner = {
    pid: process.pid,
    startTime: processRow(process.pid)?.startTime ?? 0,
    bootId: bootId(),
  };
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, JSON.stringify(mine), { mode: 0o600 });
  renameSync(aside, file);
  shield(home.git);
  return () => {
    if (readOwner(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/**
 * Node looks upwards for the package that a file belongs to. The folder may lie within somebody's project, whose
 * settings are none of the repositories' that stand below.
 */
function shield(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n', { mode: 0o600 });
}

/** The living daemon's pid, or null. */
export function ownerOf(home: Home): number | null {
  const owner = readOwner(join(home.root, 'daemon.lock'));
  return owner !== null && owner.bootId === bootId() && isAlive(owner) ? owner.pid : null;
}

function readOwner(file: string): Owner | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    return null;
  }
}
