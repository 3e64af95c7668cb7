/**
 * The world of the simulation: one server, one daemon, and connections between them on which frames are lost,
 * doubled, late and out of order.
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
}

export interface Attempt {
  state: AttemptState;
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
  readonly store: Store;
  readonly daemon: Daemon;
  readonly links: Link[];
  readonly seen: Seen;
}

export const journalId = '01890000-0000-7000-8000-000000000001';

export const begin = (): World => ({
  store: {
    commandSeq: 0,
    commands: new Map(),
    appliedSeq: 0,
    sessionEpoch: 0,
    tasks: new Map(),
  },
  daemon: {
    disk: [],
    queue: [],
    afterSync: [],
    state: emptyState(journalId),
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
    started: new Set(),
    takenSeqs: [],
    messages: new Map(),
    withdrawn: new Set(),
  },
});

/** One of them, by a number of any size. */
export const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % from.length];
