/**
 * What every room of the daemon is given: made once in `daemon.ts`, handed down, never looked up.
 */
import type { DaemonAsk } from '@makima/contracts/socket/asks';
import type { Log } from '@makima/runtime/log';
import type { DaemonConfig } from './config.ts';
import type { AgentDriver } from './driver/driver.ts';
import type { Home } from './home.ts';
import type { Journal } from './journal/journal.ts';
import type { AskKind, AskResult } from './link/asks.ts';
import type { ToolDoor } from './mcp/door.ts';
import type { Secrets } from './secrets.ts';
import type { TaskRecords } from './session/records.ts';
import type { Workspace } from './workspace/port.ts';

export interface DaemonContext {
  readonly config: DaemonConfig;
  readonly home: Home;
  readonly log: Log;
  readonly journal: Journal;
  readonly secrets: Secrets;
  readonly workspace: Workspace;
  readonly records: TaskRecords;
  readonly left: LeftWork;
  readonly kept: KeptTeller;
  readonly tools: ToolDoor;
  readonly drivers: ReadonlyMap<string, InstalledDriver>;
  /** A question to the control plane. See `link/asks.ts` for what it throws. */
  ask<K extends AskKind>(ask: Extract<DaemonAsk, { kind: K }>): Promise<AskResult<K>>;
  readonly newId: () => string;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

/** See `session/left-work.ts`. */
export interface LeftWork {
  /** Somebody left something: a while from now whatever nobody goes on with is collected. */
  later(): void;
  /** No look begins any more; resolves when none is under way. What is left is found by the next life. */
  stop(): Promise<void>;
}

/** See `session/kept-work.ts`. */
export interface KeptTeller {
  /** Resolves when whatever stood there then is told; never rejects. */
  tell(): Promise<void>;
}

/** A driver and what its probe found when the daemon started. */
export interface InstalledDriver {
  readonly driver: AgentDriver;
  readonly version: string | null;
}
