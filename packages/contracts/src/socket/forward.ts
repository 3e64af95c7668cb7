/**
 * How the older side of the daemon's socket reads what a newer control plane says: keys that it does not know are
 * left out, everything else must fit. So a field that may be missing can be sent before every daemon knows it.
 *
 * Law: schemas stay strict for whoever writes and tests. A key may only be new in this way if a daemon that
 * passes over it still does what is right; what must be understood raises `socketProtocol`.
 */
import type { z } from 'zod';

export type Forward<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Paths of keys that were left out, as `commands.0.command.finishTurnMs`. */
      readonly unknown: readonly string[];
    }
  | { readonly ok: false };

/** Changes `json`, which is this caller's own: parsed a moment ago. */
export function readForward<S extends z.ZodType>(schema: S, json: unknown): Forward<z.output<S>> {
  const strict = schema.safeParse(json);
  if (strict.success) return { ok: true, value: strict.data, unknown: [] };
  const unknown: string[] = [];
  for (const issue of strict.error.issues) {
    if (issue.code !== 'unrecognized_keys') return { ok: false };
    const holder = issue.path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown>)[key],
      json,
    );
    for (const key of issue.keys) {
      delete (holder as Record<string, unknown>)[key];
      unknown.push([...issue.path, key].map(String).join('.'));
    }
  }
  const known = schema.safeParse(json);
  return known.success ? { ok: true, value: known.data, unknown } : { ok: false };
}
