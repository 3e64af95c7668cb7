/** What a report says of the trace that it belongs to: that of the agent's run around it; nothing where nobody traces. */
import { traceparent } from '@makima/runtime/tracing';

export function traced(): { readonly trace?: string } {
  const trace = traceparent();
  return trace === undefined ? {} : { trace };
}
