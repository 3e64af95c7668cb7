/**
 * The log of a process: one JSON object per line on standard output, through pino.
 *
 * Law: no credential reaches a log line. Values under telling keys are replaced wherever they stand, and
 * every finished line is searched once more for the shapes of credentials (see `redact.ts`), so that an
 * error which carries a request cannot give its header away.
 */
import { pino } from 'pino';
import { censor, scrub, scrubLine } from './redact.ts';
import { lineSink, type LineSink } from './line-sink.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

interface LogMethod {
  (message: string): void;
  /** Fields first; an error goes in as `err`. */
  (fields: object, message: string): void;
}

/** What everything but the process's own `main` sees of the log. */
export interface Log {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** The same log with more fields on every line, e.g. `{ requestId }`. */
  child(fields: object): Log;
}

export interface RootLog extends Log {
  /** Write what is still buffered, synchronously, for at most `flushMs` (250). For the end of a process. */
  flush(flushMs?: number): void;
}

export interface LogOptions {
  /** Name of the process: `api`, `scheduler`, … */
  readonly service: string;
  readonly level?: LogLevel;
  /** Fields of every line. */
  readonly fields?: object;
  /** Where lines go; standard output when absent. */
  readonly sink?: LineSink;
}

/** Open the log of this process. */
export function createLog(options: LogOptions): RootLog {
  const sink = options.sink ?? lineSink({ fd: 1 });
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, pid: process.pid, ...options.fields },
      messageKey: 'message',
      errorKey: 'err',
      timestamp: pino.stdTimeFunctions.isoTime,
      // The values are made safe before pino serialises them; its own error serialiser never sees one.
      serializers: { err: (value: unknown) => value },
      formatters: {
        level: (level) => ({ level }),
        bindings: (bindings) => censor(bindings) as Record<string, unknown>,
        log: (fields) => censor(fields) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method) {
          const safe = args.map((arg: unknown) => (typeof arg === 'string' ? scrub(arg) : arg));
          method.apply(this, safe as typeof args);
        },
      },
    },
    { write: (line: string) => sink.write(scrubLine(line)) },
  );
  const root = logger as unknown as Log;
  return Object.assign(root, { flush: (flushMs = 250) => sink.flush(flushMs) });
}
