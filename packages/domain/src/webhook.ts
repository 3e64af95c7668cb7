/**
 * Endpoints of people's own programs that are told of events: when a delivery is tried again, when an
 * endpoint is left alone for a while, and when it is given up.
 *
 * Law: everything ends. A delivery has so many tries over a bit more than a day; an endpoint that answers
 * nothing well for a day is set aside, once, until a person looks.
 */

export const webhookKinds = ['webhook', 'ntfy'] as const;

export type WebhookKind = (typeof webhookKinds)[number];

/** `disabled` by a person, `quarantined` because it is dead. */
export const webhookStatuses = ['active', 'disabled', 'quarantined'] as const;

export type WebhookStatus = (typeof webhookStatuses)[number];

export const webhookTransitions: Readonly<Record<WebhookStatus, readonly WebhookStatus[]>> = {
  active: ['disabled', 'quarantined'],
  disabled: ['active'],
  quarantined: ['active', 'disabled'],
};

/** `failed`: its tries are used up; a person may have it delivered again. */
export const deliveryStates = ['pending', 'delivered', 'failed'] as const;

export type DeliveryState = (typeof deliveryStates)[number];

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Pauses before the second, third, … try; about 28 hours in all. Each is stretched or shrunk by chance. */
const retryPausesMs: readonly number[] = [
  5 * secondMs,
  30 * secondMs,
  2 * minuteMs,
  10 * minuteMs,
  30 * minuteMs,
  hourMs,
  2 * hourMs,
  4 * hourMs,
  8 * hourMs,
  12 * hourMs,
];

export const deliveryTriesMax = retryPausesMs.length + 1;

/** Longest time that an endpoint may ask to be left alone. */
const askedPauseMaxMs = hourMs;

/**
 * The pause after so many tries, or null when there is none left. `askedMs`: the endpoint said how long it
 * wants to be left alone (Retry-After).
 */
export function retryPauseMs(tries: number, askedMs: number | null = null): number | null {
  const pause = retryPausesMs[tries - 1];
  if (pause === undefined) return null;
  return Math.max(pause, Math.min(askedMs ?? 0, askedPauseMaxMs));
}

/** What came of a try: the status that was answered, or null when no answer came. */
export type TryVerdict = 'delivered' | 'gone' | 'retry';

export function tryVerdict(status: number | null): TryVerdict {
  if (status === null) return 'retry';
  if (status >= 200 && status < 300) return 'delivered';
  return status === 410 ? 'gone' : 'retry';
}

export interface EndpointHealth {
  /** Tries in a row that were answered badly or not at all. */
  readonly failures: number;
  readonly failingSince: Date | null;
}

const failuresBeforePause = 3;
const endpointPauseMaxMs = 15 * minuteMs;

/** An endpoint that fails again and again is asked seldom, whatever waits for it. */
export function endpointPauseMs({ failures }: Pick<EndpointHealth, 'failures'>): number {
  if (failures < failuresBeforePause) return 0;
  return Math.min(5 * secondMs * 2 ** (failures - failuresBeforePause), endpointPauseMaxMs);
}

const deadFailures = 10;
const deadAfterMs = 24 * hourMs;

/** Nothing of it has been well for so long that nobody waits for it any more. */
export function isDead(health: EndpointHealth, now: Date): boolean {
  if (health.failingSince === null || health.failures < deadFailures) return false;
  return now.getTime() - health.failingSince.getTime() >= deadAfterMs;
}
