/**
 * Reads the text of `/metrics` as Prometheus and its linter (`promtool check metrics`) do, and names everything
 * that they would complain of.
 */

const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.]+(?:e[+-]?\d+)?|[Nn]a[Nn]|[+-]?Inf)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/g;
const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const parts: Record<string, readonly string[]> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};
const abbreviations = /_(?:s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(?:_|$)/;
const otherUnits =
  /_(?:milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|megabytes|bits|percent)(?:_|$)/;
/** What would make a series of its own for each thing there is. */
const unbounded = /[0-9a-f]{8}-[0-9a-f]{4}-|mk_/i;

interface Family {
  readonly name: string;
  type: string | undefined;
  help: boolean;
}

export function expositionFaults(text: string): string[] {
  const faults: string[] = [];
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let present: Family | undefined;
  if (!text.endsWith('\n')) faults.push('the last line has no end');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const head = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (head !== null) {
      const [, kind, name = '', rest = ''] = head;
      if (present?.name !== name && families.has(name))
        faults.push(`${name} is told in two places`);
      present = families.get(name) ?? { name, type: undefined, help: false };
      families.set(name, present);
      if (kind === 'HELP') present.help = true;
      else if (types.includes(rest)) present.type = rest;
      else faults.push(`${name} has the type ${rest}`);
      continue;
    }
    const read = sample.exec(line);
    if (read === null) faults.push(`not a sample: ${line}`);
    else faults.push(...sampleFaults(read, present, series));
  }
  return [...faults, ...[...families.values()].flatMap(nameFaults)];
}

function sampleFaults(
  [, name = '', labels = '']: RegExpExecArray,
  family: Family | undefined,
  series: Set<string>,
): string[] {
  const faults: string[] = [];
  const allowed = parts[family?.type ?? ''] ?? [''];
  if (family === undefined || !allowed.some((part) => name === `${family.name}${part}`))
    faults.push(`${name} stands in the family ${family?.name}`);
  const pairs = [...labels.matchAll(label)].map(([, key = '', value = '']) => ({ key, value }));
  const id = `${name}{${pairs
    .map(({ key, value }) => `${key}=${value}`)
    .toSorted()
    .join()}}`;
  if (series.has(id)) faults.push(`${id} is told twice`);
  series.add(id);
  for (const { key, value } of pairs) {
    if (/[a-z][A-Z]/.test(key)) faults.push(`${name}: label ${key} in camelCase`);
    if (key === 'le' && family?.type !== 'histogram') faults.push(`${name}: label le`);
    if (key === 'quantile' && family?.type !== 'summary') faults.push(`${name}: label quantile`);
    if (unbounded.test(value)) faults.push(`${name}: ${key}=${value} has no bound`);
  }
  return faults;
}

function nameFaults({ name, type, help }: Family): string[] {
  const faults: string[] = [];
  if (!help) faults.push(`${name} has no help`);
  if (type === undefined) faults.push(`${name} has no type`);
  if ((type === 'counter') !== name.endsWith('_total') && type !== 'untyped')
    faults.push(`${name}: counters end in _total, and nothing else does`);
  if (type !== 'untyped' && /_(?:bucket|count|sum)$/.test(name))
    faults.push(`${name} ends as a part of a histogram`);
  if (/[a-z][A-Z]/.test(name)) faults.push(`${name} is in camelCase`);
  if (abbreviations.test(name)) faults.push(`${name} has an abbreviated unit`);
  if (otherUnits.test(name)) faults.push(`${name} is not in a base unit`);
  if (new RegExp(`_${type ?? '-'}(?:_|$)`).test(name)) faults.push(`${name} names its type`);
  return faults;
}
