/**
 * An attempt's output on its way to the journal: lines gather for some milliseconds and become one report.
 *
 * Law: numbers are gapless per attempt; what is not kept (the journal is full, or the attempt has said more
 * than its share) is counted and told in a `dropped` line, before and after. Whoever adds waits when the
 * disk falls behind, and so, through its pipe, does the agent.
 */
import type { OutputLine, Report } from '@makima/contracts/socket/reports';
import type { Running } from '@makima/contracts/socket/frames';
import { wireLimits } from '@makima/contracts/limits';
import type { Journal } from '../journal/journal.ts';
import { attemptKey } from '../journal/state.ts';
import { ownLine } from './lines.ts';

export interface OutputOptions extends Running {
  readonly journal: Journal;
  /** Most bytes of output of one attempt. */
  readonly capBytes: number;
  /** How long the first line of a batch waits for more. */
  readonly gatherMs: number;
  readonly onTrouble: (error: unknown) => void;
}

export interface Output {
  /** Resolves at once while there is room, else when the disk has caught up. */
  add(line: OutputLine): Promise<void>;
  /** Resolves when everything added is on the disk. */
  flush(): Promise<void>;
}

/** Characters of one batch: even if each had to be escaped, the report stays below a frame. */
const batchChars = 128 * 1024;
const lineOverheadChars = 220;
const flyingLimit = 2;

export function createOutput(options: OutputOptions): Output {
  const { journal } = options;
  let batch: OutputLine[] = [];
  let chars = 0;
  let total = 0;
  let timer: NodeJS.Timeout | undefined;
  let dropped = { lines: 0, chars: 0, told: false };
  const flying = new Set<Promise<void>>();

  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (batch.length === 0) return;
    const written = journal
      .report(reportOf(options, batch))
      .catch(options.onTrouble)
      .finally(() => flying.delete(written));
    flying.add(written);
    batch = [];
    chars = 0;
  };
  const push = (line: OutputLine): void => {
    const size = sizeOf(line);
    if (batch.length > 0 && chars + size > batchChars) write();
    batch.push(line);
    chars += size;
    total += size;
    if (batch.length >= wireLimits.outputBatchLines || chars >= batchChars) write();
    else timer ??= setTimeout(write, options.gatherMs);
  };
  const drop = (line: OutputLine, why: string): void => {
    if (!dropped.told) push(ownLine('dropped', `Output is not kept from here on: ${why}.`));
    dropped = { lines: dropped.lines + 1, chars: dropped.chars + line.content.length, told: true };
  };
  const tellDropped = (): void => {
    const { lines, chars: lost } = dropped;
    if (dropped.told)
      push(ownLine('dropped', `${lines} lines (${lost} characters) were not kept.`));
    dropped = { lines: 0, chars: 0, told: false };
  };

  return {
    async add(line) {
      if (total > options.capBytes) drop(line, `an attempt may say ${options.capBytes} bytes`);
      else if (journal.full) drop(line, 'the journal of unsent reports is full');
      else {
        tellDropped();
        push(line);
      }
      while (flying.size >= flyingLimit) await Promise.race(flying);
    },
    async flush() {
      tellDropped();
      write();
      while (flying.size > 0) await Promise.all(flying);
    },
  };
}

/** The lines under the numbers that follow those journalled so far. */
function reportOf({ journal, taskId, attempt }: OutputOptions, lines: OutputLine[]): Report {
  const known = journal.state.attempts.get(attemptKey(taskId, attempt));
  return { kind: 'task.outputted', taskId, attempt, fromSeq: (known?.outputSeq ?? 0) + 1, lines };
}

function sizeOf(line: OutputLine): number {
  const input = line.toolInput === undefined ? 0 : (JSON.stringify(line.toolInput)?.length ?? 0);
  return lineOverheadChars + line.content.length + input;
}
