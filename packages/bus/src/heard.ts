/**
 * What a listener to a channel is told.
 *
 * Law: a hint and a gap ask for the same thing: read the truth.
 */

/** What a listener is told. */
export type Heard =
  | { readonly kind: 'hint'; readonly channel: string; readonly body: string }
  /** The connection was lost and is back: read the truth once. */
  | { readonly kind: 'missed'; readonly channel: string };
