/** The context of a trace as W3C `traceparent`, as far as anybody but a tracer reads it. */

/** Of which trace it is: the part that all of its spans share. */
export function traceId(traceparent: string): string {
  return traceparent.split('-')[1] ?? '';
}
