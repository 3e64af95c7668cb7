/** Times for people: how long ago, how long, at what time of the day. */

/** `4s`, `12m`, `3h`, `5d`. */
export function ago(time: string | null, nowMs: number): string {
  if (time === null) return '-';
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `850ms`, `12s`, `4m 05s`, `1h 04m`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1_000);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h ${two(Math.floor((seconds % 3_600) / 60))}m`;
}

/** A moment to come, in the time zone of whoever looks: `17:42`, with its day when it is not within a day. */
export function until(time: string, nowMs: number): string {
  const at = clockTime(time).slice(0, 5);
  const date = new Date(time);
  const days = (ms: number): string => new Date(ms).toDateString();
  if (days(date.getTime()) === days(nowMs)) return at;
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${at}`;
}

/** `14:03:59` in the time zone of whoever looks. */
export function clockTime(time: string): string {
  const date = new Date(time);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
