/**
 * The life of a process: its parts start in order and stop in reverse, each within its own time limit;
 * signals drain, surprises end the process so that its keeper starts it afresh.
 *
 * Law: stopping twice is fine, before starting is fine, and the process ends even when a part hangs.
 */
import type { Log, RootLog } from './log.ts';
import { withDeadline } from './deadline.ts';

/** Something that lives as long as the process. A part lists health first: listening never waits for recovery. */
export interface Part {
  readonly name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
  /** One round of its work, for tests. */
  tick?(): Promise<void> | void;
  /** How long `stop` may take before the next part's turn. Default 10 s. */
  readonly stopMs?: number;
}

export interface App {
  /** Start every part in order. If one fails, those before it are stopped again and the error is thrown. */
  start(): Promise<void>;
  /** Stop in reverse order. Never throws: what fails or hangs is logged. Resolves to whether all went well. */
  stop(): Promise<boolean>;
  /** One tick of every part that has one, in order. */
  tick(): Promise<void>;
}

export interface AppOptions {
  readonly parts: readonly Part[];
  readonly log: Log;
}

const partStopMs = 10_000;

export function createApp(options: AppOptions): App {
  const { log } = options;
  let running: Part[] = [];
  let starting: Promise<void> | undefined;
  let stopping: Promise<boolean> | undefined;
  let stopAsked = false;

  const startAll = async (): Promise<void> => {
    for (const part of options.parts) {
      if (stopAsked) return;
      // Counted as running before it is, so that a part that half started is stopped as well.
      running.push(part);
      await part.start?.();
      log.debug({ part: part.name }, 'part started');
    }
  };
  const stopAll = async (): Promise<boolean> => {
    stopAsked = true;
    let clean = true;
    while (running.length > 0) {
      const part = running.pop();
      if (part) clean = (await stopPart(part, log)) && clean;
    }
    return clean;
  };

  return {
    start() {
      starting ??= startAll().catch(async (error: unknown) => {
        await stopAll();
        throw error;
      });
      return starting;
    },
    stop() {
      if (starting === undefined) return Promise.resolve(true);
      stopping ??= stopAll();
      return stopping;
    },
    async tick() {
      for (const part of options.parts) await part.tick?.();
    },
  };
}

async function stopPart(part: Part, log: Log): Promise<boolean> {
  const stopMs = part.stopMs ?? partStopMs;
  try {
    await withDeadline(stopMs, () => part.stop?.(), `stopping ${part.name}`);
    log.debug({ part: part.name }, 'part stopped');
    return true;
  } catch (error) {
    log.error({ err: error, part: part.name }, 'part did not stop cleanly');
    return false;
  }
}

export interface RunOptions extends AppOptions {
  readonly log: RootLog;
  /** The whole drain, from the signal to the exit. Default 30 s. */
  readonly drainMs?: number;
  /** Called at the signal, before anything stops: tell `/readyz` to send traffic elsewhere. */
  readonly onDrain?: () => void;
}

/**
 * Start the app and tie it to the process: SIGTERM and SIGINT drain and exit 0 (1 when a part did not stop
 * cleanly or the drain took too long; a second signal exits 1 at once), an uncaught error or unhandled
 * rejection is logged and exits 1, a failed start exits 1.
 */
export async function runApp(options: RunOptions): Promise<App> {
  const { log } = options;
  const app = createApp(options);
  const exit = (code: number): void => {
    log.flush();
    process.exit(code);
  };
  let draining = false;
  const drain = (signal: string): void => {
    if (draining) {
      log.warn({ signal }, 'second signal, leaving at once');
      exit(1);
    }
    draining = true;
    log.info({ signal }, 'draining');
    options.onDrain?.();
    const drainMs = options.drainMs ?? 30_000;
    void withDeadline(drainMs, () => app.stop(), 'draining').then(
      (clean) => {
        log.info({ clean }, 'stopped');
        exit(clean ? 0 : 1);
      },
      (error: unknown) => {
        log.error({ err: error }, 'drain took too long');
        exit(1);
      },
    );
  };
  const die = (message: string) => (error: unknown) => {
    log.fatal({ err: error }, message);
    exit(1);
  };

  process.on('SIGTERM', drain);
  process.on('SIGINT', drain);
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
  try {
    await app.start();
    log.info('started');
  } catch (error) {
    die('start failed')(error);
  }
  return app;
}
