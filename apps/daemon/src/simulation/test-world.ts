/**
 * The world of the simulation: one server, one daemon, and connections between them on which frames are lost,
 * doubled, late and out of order. A fleet is several of them: what is told and stored is each daemon's own, the
 * tasks are everybody's.
 *
 * Law: it holds what both sides are, and what an onlooker would know of it: which agents were ever started,
 * which lines stand on the daemon's disk. Rules are the product's own.
 */
import type { Command } from '@makima/contracts/socket/commands';
import type { Report } from '@makima/contracts/socket/reports';
import type { AttemptState } from '@makima/domain/task';
import type { Cursor, Run } from '@makima/domain/sequence';
import { emptyState, type JournalState } from '../journal/state.ts';

export interface Running {
  readonly taskId: string;
  readonly attempt: number;
}

export type Up =
  | {
      readonly type: 'hello';
      readonly journalId: string;
      readonly lastCommandSeq: number;
      readonly running: readonly Running[];
    }
  | {
      readonly type: 'reports';
      readonly journalId: string;
      readonly fromSeq: number;
      readonly reports: readonly Report[];
    }
  | { readonly type: 'ack'; readonly commandSeq: number };

export type Down =
  | { readonly type: 'welcome'; readonly reportAck: number; readonly fenced: readonly Running[] }
  | {
      readonly type: 'commands';
      readonly after: number;
      readonly commands: readonly { readonly seq: number; readonly command: Command }[];
    }
  | { readonly type: 'ack'; readonly reportSeq: number };

export interface Link {
  readonly up: Up[];
  readonly down: Down[];
  /** Both ends know that it is over; what is under way may still arrive. */
  cut: boolean;
  /** The server's end of it, once the hello was taken. */
  talk: { readonly sessionEpoch: number; cursor: Cursor } | null;
  /** Which gateway holds the server's end. */
  readonly gateway: number;
}

export interface Attempt {
  state: AttemptState;
  /** The daemon that it was given to. */
  readonly on: number;
  readonly output: string[];
}

export interface Task {
  currentAttempt: number;
  readonly attempts: Attempt[];
  /** Set once, by the attempt that was the present one. */
  result: { readonly attempt: number; readonly words: string } | null;
}

/** What is stored; a change is whole or it is not. */
export interface Store {
  commandSeq: number;
  readonly commands: Map<number, { readonly command: Command; acked: boolean }>;
  appliedSeq: number;
  sessionEpoch: number;
  /** What is believed of the daemon: it has a connection. */
  connected: boolean;
  readonly tasks: Map<string, Task>;
}

export interface Daemon {
  /** What survives: whole lines and, after a crash, a torn one. */
  disk: Buffer[];
  /** Written and not yet on the disk, with what follows when it is. */
  queue: { readonly bytes: Buffer; readonly seq: number }[];
  afterSync: (() => void)[];
  state: JournalState;
  readonly reports: Map<number, Report>;
  durableSeq: number;
  durableCommandSeq: number;
  cursor: Cursor;
  early: readonly Run<Command>[];
  readonly agents: Map<string, Running>;
  link: Link | null;
  welcomed: boolean;
}

/** What an onlooker saw. */
export interface Seen {
  /** What was last done that is worth to have been met. */
  mark: string;
  readonly started: Set<string>;
  readonly takenSeqs: number[];
  readonly messages: Map<number, number>;
  readonly withdrawn: Set<number>;
}

export interface World {
  readonly id: number;
  readonly journalId: string;
  /** All daemons of this server, this one too. */
  readonly fleet: readonly World[];
  readonly store: Store;
  readonly daemon: Daemon;
  readonly links: Link[];
  readonly seen: Seen;
}

export const begin = (): World => {
  const fleet: World[] = [];
  const world = worldOf(0, { fleet, tasks: new Map(), started: new Set() });
  fleet.push(world);
  return world;
};

export function beginFleet(size: number): World[] {
  const fleet: World[] = [];
  const all = { fleet, tasks: new Map<string, Task>(), started: new Set<string>() };
  for (let id = 0; id < size; id += 1) fleet.push(worldOf(id, all));
  return fleet;
}

interface All {
  readonly fleet: readonly World[];
  readonly tasks: Map<string, Task>;
  readonly started: Set<string>;
}

const worldOf = (id: number, { fleet, tasks, started }: All): World => ({
  id,
  journalId: journalIdOf(id),
  fleet,
  store: {
    commandSeq: 0,
    commands: new Map(),
    appliedSeq: 0,
    sessionEpoch: 0,
    connected: false,
    tasks,
  },
  daemon: {
    disk: [],
    queue: [],
    afterSync: [],
    state: emptyState(journalIdOf(id)),
    reports: new Map(),
    durableSeq: 0,
    durableCommandSeq: 0,
    cursor: { ackedSeq: 0, sentSeq: 0, highestSeq: 0 },
    early: [],
    agents: new Map(),
    link: null,
    welcomed: false,
  },
  links: [],
  seen: {
    mark: '',
    started,
    takenSeqs: [],
    messages: new Map(),
    withdrawn: new Set(),
  },
});

function journalIdOf(id: number): string {
  return `01890000-0000-7000-8000-00000000000${id + 1}`;
}

/** One of them, by a number of any size. */
export const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % from.length];
