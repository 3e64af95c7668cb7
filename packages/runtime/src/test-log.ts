/**
 * A log for tests: keeps its lines as parsed JSON, and lets a test wait for one instead of sleeping.
 *
 * Law: real log, real redaction; only the sink is its own.
 */
import { createLog, type RootLog } from './log.ts';

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

export interface TestLog extends RootLog {
  readonly lines: readonly LogLine[];
  /** The first line (also an earlier one) with this message; waits for it. */
  line(message: string): Promise<LogLine>;
}

export function testLog(): TestLog {
  const lines: LogLine[] = [];
  const waiting: { message: string; found: PromiseWithResolvers<LogLine> }[] = [];
  const sink = {
    write(text: string): void {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      for (const each of waiting) if (each.message === line.message) each.found.resolve(line);
    },
    flush: () => undefined,
  };
  const log = createLog({ service: 'test', level: 'trace', sink });
  return Object.assign(log, {
    lines,
    line(message: string): Promise<LogLine> {
      const known = lines.find((line) => line.message === message);
      if (known) return Promise.resolve(known);
      const found = Promise.withResolvers<LogLine>();
      waiting.push({ message, found });
      return found.promise;
    },
  });
}
