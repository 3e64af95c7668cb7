/**
 * Secret values that this daemon knows: its own key, tool keys, run tokens. Whatever it writes down or sends
 * goes through here first.
 *
 * Law: a known value leaves in no form that one look finds: plain, URL-encoded or base64. Values shorter than
 * 12 characters are not taken, for they would tear holes into ordinary text.
 */

export type SecretKind = 'daemon-key' | 'tool-key' | 'run-token' | 'forge-token';

export interface Secrets {
  /** Remembers a value; the returned function forgets it. */
  add(kind: SecretKind, value: string): () => void;
  /** The text without any known value. Safe on JSON: what is put in needs no escaping. */
  readonly redact: (text: string) => string;
}

export const secretShortestChars = 12;

export function createSecrets(): Secrets {
  const known = new Map<string, SecretKind>();
  let forms: readonly (readonly [string, string])[] = [];
  const rebuild = (): void => {
    forms = [...known].flatMap(([value, kind]) =>
      formsOf(value).map((form) => [form, `[redacted:${kind}]`] as const),
    );
  };
  return {
    add(kind, value) {
      if (value.length < secretShortestChars) return () => undefined;
      known.set(value, kind);
      rebuild();
      return () => {
        known.delete(value);
        rebuild();
      };
    },
    redact(text) {
      let clean = text;
      for (const [form, mark] of forms) {
        if (clean.includes(form)) clean = clean.replaceAll(form, mark);
      }
      return clean;
    },
  };
}

/** The value as it is and as agents' tools show it. Base64 at each of the three offsets in other text. */
function formsOf(value: string): string[] {
  const forms = new Set([value, encodeURIComponent(value), Buffer.from(value).toString('hex')]);
  for (const pad of ['', '\0', '\0\0']) {
    const text = Buffer.from(pad + value)
      .toString('base64')
      .replace(/=+$/, '');
    // The first and last characters depend on what stands around: leave them out.
    forms.add(text.slice(pad === '' ? 0 : 4, -1));
    forms.add(
      text
        .slice(pad === '' ? 0 : 4, -1)
        .replaceAll('+', '-')
        .replaceAll('/', '_'),
    );
  }
  return [...forms].filter((form) => form.length >= secretShortestChars);
}
