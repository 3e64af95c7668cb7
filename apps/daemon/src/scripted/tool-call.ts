/**
 * Runs something as a tool of the agent: told when it starts, while it runs and when it ends, under the step's
 * stable id.
 *
 * Law: a started tool always ends, with its cause. Who must ask before it acts asks before it acts; what is
 * denied is not done, and the script goes on with the refusal as its result, as a model would.
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
): Promise<T | Denied> {
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
  const end = (ok: boolean, value: unknown, how: 'denied' | 'finished' = 'finished') => {
    clearInterval(heartbeat);
    const output = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    const cause = signal.aborted ? ('aborted' as const) : how;
    const truncated = output.length > shownBytes;
    host.emit({ t: 'tool_end', toolId, ok, output: output.slice(0, shownBytes), truncated, cause });
  };
  try {
    const denied = await askFirst(context, face, toolId);
    if (denied !== null) {
      end(false, denied.denied, 'denied');
      return denied;
    }
    const value = await body(toolId, progress);
    end(true, value);
    return value;
  } catch (cause) {
    end(false, (cause as Error).message);
    throw cause;
  }
}

export interface Denied {
  readonly denied: string;
}

/** Null: go on. */
async function askFirst(
  { host, signal }: StepContext,
  face: ToolFace,
  toolId: string,
): Promise<Denied | null> {
  const asks = face.kind === 'shell' || face.kind === 'edit';
  if (host.start.permission !== 'ask' || !asks) return null;
  const requestId = `may-${toolId}`;
  const { name: tool, input } = face;
  host.emit({ t: 'permission', requestId, toolId, tool, input, reason: null });
  host.emit({ t: 'state', state: 'waiting_input' });
  try {
    const permission = await host.permissionFor(requestId, signal);
    return permission.allow ? null : { denied: permission.message };
  } catch (cause) {
    host.emit({ t: 'request_cancelled', requestId });
    throw cause;
  } finally {
    host.emit({ t: 'state', state: 'working' });
  }
}
