/**
 * Runs something as a tool of the agent: told when it starts, while it runs and when it ends, under the step's
 * stable id.
 *
 * Law: a started tool always ends, with its cause.
 */
import type { ToolKind } from '../driver/events.ts';
import type { StepContext } from './host.ts';
import { stepId } from './progress.ts';

const heartbeatMs = 10_000;
const shownBytes = 16 * 1024;

export interface ToolFace {
  readonly name: string;
  readonly kind: ToolKind;
  readonly title: string;
  readonly input: unknown;
  /** Distinguishes repeated calls of one step; empty for the first. */
  readonly suffix?: string;
}

export async function asTool<T>(
  context: StepContext,
  face: ToolFace,
  body: (toolId: string, progress: (note: string | null) => void) => Promise<T>,
): Promise<T> {
  const { host, signal } = context;
  const toolId = `${stepId('toolu', host.start.sessionId, context.key)}${face.suffix ?? ''}`;
  const since = performance.now();
  const { name, kind, title, input } = face;
  host.emit({ t: 'tool_start', toolId, name, kind, input, title, parentTool: null });
  host.ledger.note('tool', { name, toolId, key: context.key });
  const progress = (note: string | null) => {
    host.emit({
      t: 'tool_progress',
      toolId,
      elapsedMs: Math.round(performance.now() - since),
      note,
    });
  };
  const heartbeat = setInterval(() => progress(null), heartbeatMs);
  const end = (ok: boolean, value: unknown) => {
    clearInterval(heartbeat);
    const output = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    const cause = signal.aborted ? ('aborted' as const) : ('finished' as const);
    const truncated = output.length > shownBytes;
    host.emit({ t: 'tool_end', toolId, ok, output: output.slice(0, shownBytes), truncated, cause });
  };
  try {
    const value = await body(toolId, progress);
    end(true, value);
    return value;
  } catch (cause) {
    end(false, (cause as Error).message);
    throw cause;
  }
}
