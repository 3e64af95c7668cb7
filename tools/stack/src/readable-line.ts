// A line of a service's log as a person reads it: when, how grave, what, and the facts.
// Why: JSON is for programs; whoever looks into a log at a terminal looks for words.
// Law: what is no line of ours stays as it is; no fact is left out but the service and its process.
import { oneLine } from '@makima/cli/plain';
import { clockTime } from '@makima/cli/time';

/** e.g. `14:03:59 info  request  method=GET path=/readyz status=200` */
export const readableLine = (line: string): string => {
  const parsed = parse(line);
  if (parsed === undefined) return line;
  const { time, level, message, service: _, pid: __, ...facts } = parsed;
  const words = Object.entries(facts).map(([name, fact]) => ` ${name}=${oneLine(inWords(fact))}`);
  const lead = `${clockTime(String(time))} ${String(level).padEnd(5)} ${oneLine(String(message))}`;
  return words.length === 0 ? lead : `${lead} ${words.join('')}`;
};

const parse = (line: string): Record<string, unknown> | undefined => {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    const isOurs = ['time', 'level', 'message'].every((name) => typeof value[name] === 'string');
    return isOurs ? value : undefined;
  } catch {
    return undefined;
  }
};

const inWords = (value: unknown): string =>
  typeof value === 'string' && !/[\s=]/.test(value) ? value : JSON.stringify(value);
