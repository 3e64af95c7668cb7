/**
 * The order of attention, shared by every surface: what needs a person comes first.
 *
 * Law: ranks are compared by their place in this list, never by name.
 */

export const attentions = [
  'needs_you',
  'failed',
  'stale',
  'limited',
  'running',
  'queued',
  'paused',
  'done',
  'archived',
] as const;

export type Attention = (typeof attentions)[number];

/** 0 is the most urgent. */
export function attentionRank(attention: Attention): number {
  return attentions.indexOf(attention);
}

/** Sort order: negative when `a` is the more urgent one. */
export function compareAttention(a: Attention, b: Attention): number {
  return attentionRank(a) - attentionRank(b);
}

/** The most urgent of a list; undefined when there is none. */
export function mostUrgent(list: readonly Attention[]): Attention | undefined {
  return attentions.find((attention) => list.includes(attention));
}
