/**
 * Values that a schema would let through and that do harm further in: keys of the prototype, NUL and lone
 * surrogates (Postgres refuses both in text), numbers beyond what JSON can carry back.
 *
 * Law: people's input is refused with a pointer; what agents print is cleaned, since they cannot see it.
 */
import type { Fault } from './problem.ts';

const prototypeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Every place that is not plain; at most 20. The depth was bounded when the text was read. */
export function findBadValues(value: unknown): Fault[] {
  const faults: Fault[] = [];
  visit(value, '', faults);
  return faults.slice(0, 20);
}

/** What is wrong with one text, or undefined. */
export function badText(text: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character';
  if (!text.isWellFormed()) return 'holds half of a surrogate pair';
  return undefined;
}

function visit(value: unknown, pointer: string, faults: Fault[]): void {
  if (faults.length >= 20) return;
  if (typeof value === 'string') {
    const detail = badText(value);
    if (detail !== undefined) faults.push({ pointer, detail });
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) faults.push({ pointer, detail: 'is too large a number' });
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => visit(item, `${pointer}/${index}`, faults));
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      const below = `${pointer}/${pointerToken(key)}`;
      if (prototypeKeys.has(key))
        faults.push({ pointer: below, detail: 'is not a key that is taken' });
      else if (badText(key) !== undefined)
        faults.push({ pointer, detail: 'has a key that is not plain text' });
      else visit((value as Record<string, unknown>)[key], below, faults);
    }
  }
}

/** RFC 6901, with what is not plain text replaced and cut to a length that can be shown. */
export function pointerToken(key: PropertyKey): string {
  const text = String(key).toWellFormed().replaceAll('\0', '').slice(0, 100);
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The same value with NULs dropped and lone surrogates replaced, for input that an agent made. */
export function cleaned<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed() as T;
  if (Array.isArray(value)) return value.map((item: unknown) => cleaned(item)) as T;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !prototypeKeys.has(key))
        .map(([key, item]) => [cleaned(key), cleaned(item)]),
    ) as T;
  }
  return value;
}
