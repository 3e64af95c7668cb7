/**
 * What must not be written down, and how it is taken out: by the name of the key it stands under, and by
 * its shape wherever it stands.
 *
 * Law: total and bounded. Any value may be given (cycles, getters that throw, huge arrays); the answer is
 * plain data of limited depth and size.
 */

const redacted = '[redacted]';
const maxDepth = 8;
const maxItems = 100;
const maxText = 16_384;

/** Names under which a string is never shown, whatever their case and separators. */
const secretName =
  /(^|[-_.])(authorization|proxy-authorization|cookie|set-cookie|password|passwd|passphrase|credential|credentials|secret|token|api-?key|key)$/i;
/** The same in camel case: `toolKey`, `accessToken`, `clientSecret`, `dbPassword`. */
const secretCamelName = /[a-z0-9](Authorization|Cookie|Password|Secret|Token|Key)$/;

/** Credentials by shape. Each replacement keeps enough to see what stood there. */
const lineShapes: readonly (readonly [RegExp, string])[] = [
  [/\bmk_(user|daemon|tool|join)_[A-Za-z0-9_]{8,}/g, 'mk_$1_[redacted]'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [redacted]'],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*):[^\s/@"\\]+@/gi, '$1:[redacted]@'],
  [/\bwhsec_[A-Za-z0-9+/=]{16,}/g, 'whsec_[redacted]'],
  [/\bsk-[A-Za-z0-9_-]{16,}/g, '[redacted:api-key]'],
  [/\bgh[pousr]_[A-Za-z0-9]{20,}/g, '[redacted:github]'],
  [/\bgithub_pat_[A-Za-z0-9_]{20,}/g, '[redacted:github]'],
];
const privateKey =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** Take every known shape of a credential out of a text. */
export function scrub(text: string): string {
  return scrubLine(text.replace(privateKey, '[redacted:private-key]'));
}

/** The same for a line of JSON: never takes a quote or a backslash away, so it stays JSON. */
export function scrubLine(line: string): string {
  let clean = line;
  for (const [shape, replacement] of lineShapes) clean = clean.replace(shape, replacement);
  return clean;
}

/** A copy of any value that is safe to log: plain data, bounded, without what stands under secret names. */
export function censor(value: unknown): unknown {
  return copy(value, 0, new Set());
}

function copy(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return shorten(scrub(value));
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '[circular]';
  if (depth >= maxDepth) return '[too deep]';
  if (value instanceof Date) return Number.isNaN(value.valueOf()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  const inside = new Set(above).add(value);
  if (Array.isArray(value)) return copyList(value, depth, inside);
  if (value instanceof Map) return copyFields([...value.entries()], depth, inside);
  if (value instanceof Set) return copyList([...value], depth, inside);
  if (value instanceof Error) return copyError(value, depth, inside);
  return copyFields(entriesOf(value), depth, inside);
}

function copyList(list: readonly unknown[], depth: number, above: ReadonlySet<object>): unknown[] {
  const items = list.slice(0, maxItems).map((item) => copy(item, depth + 1, above));
  if (list.length > maxItems) items.push(`[${list.length - maxItems} more]`);
  return items;
}

function copyFields(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  above: ReadonlySet<object>,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of entries.slice(0, maxItems)) {
    const name = String(key);
    const hidden = isSecretName(name) && isText(value);
    // A field called `__proto__` must stay a field.
    Object.defineProperty(fields, name, {
      value: hidden ? redacted : copy(value, depth + 1, above),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return fields;
}

function copyError(
  error: Error,
  depth: number,
  above: ReadonlySet<object>,
): Record<string, unknown> {
  const own = entriesOf(error).filter(([key]) => !['name', 'message', 'stack'].includes(key));
  return {
    type: error.name,
    message: shorten(scrub(error.message)),
    stack: shorten(scrub(error.stack ?? '')),
    ...(error.cause === undefined ? {} : { cause: copy(error.cause, depth + 1, above) }),
    ...copyFields(own, depth, above),
  };
}

function entriesOf(value: object): [string, unknown][] {
  return Object.keys(value).map((key) => {
    try {
      return [key, (value as Record<string, unknown>)[key]];
    } catch {
      return [key, '[unreadable]'];
    }
  });
}

function isSecretName(name: string): boolean {
  return secretName.test(name) || secretCamelName.test(name);
}

/** Numbers and flags under such names (`token: 512`, `key: true`) are counts and choices, not secrets. */
function isText(value: unknown): boolean {
  return typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array;
}

function shorten(text: string): string {
  if (text.length <= maxText) return text;
  return `${text.slice(0, maxText)}[${text.length - maxText} more characters]`;
}
