// How much a load asks for at a time: so many contracts side by side, each with a supervisor and its tasks.
// Why: fifty contracts at once are two hundred processes; were each as short as a single one is, two cores would do
// nothing but start programs, and what is measured would be their queue.
// Law: a function of the numbers that were asked for.

export interface LoadShape {
  /** Contracts at once. */
  readonly lines: number;
  /** How long an agent works on each of its steps. */
  readonly stepMs: number;
  /** Between the first beginnings of two lines. */
  readonly staggerMs: number;
  /** After this nothing begins any more, so that it can end in time. */
  readonly beginsForMs: number;
  /** How long the last one is waited for, faults included. */
  readonly endsWithinMs: number;
  /** How often each is looked at. */
  readonly lookEveryMs: number;
}

/** A contract of a calm house takes seconds; this is only how long a sick one is waited for. */
const sickMs = 240_000;
const shortStepMs = 60;
/** Up to so many at once the machine has room for contracts without a rest. */
const easyLines = 4;
/** Two cores carry a contract in so many seconds, when half of their time is for everything else. */
const contractEveryMs = 3_500;
/** Of one task. */
const steps = 10;
/** No contract takes more of the run than this. */
const shareMax = 0.25;

export function loadShape(lines: number, forMs: number): LoadShape {
  const lookEveryMs = Math.max(200, lines * 20);
  if (lines <= easyLines)
    return {
      lines,
      stepMs: shortStepMs,
      staggerMs: 0,
      beginsForMs: forMs,
      endsWithinMs: sickMs,
      lookEveryMs,
    };
  const contractMs = Math.min(lines * contractEveryMs, forMs * shareMax);
  return {
    lines,
    stepMs: Math.round(Math.max(shortStepMs, contractMs / steps)),
    staggerMs: Math.round(Math.min(contractMs, forMs * 0.1) / lines),
    // What else belongs to a contract, and what faults add, is as much again.
    beginsForMs: Math.max(forMs / 2, forMs - 2 * contractMs),
    endsWithinMs: sickMs + 3 * contractMs,
    lookEveryMs,
  };
}

/** Places of each machine: room for all agents of the load, and half as many again when a machine is gone. */
export function placesPerMachine(
  lines: number,
  machines: number,
  agentsPerContract: number,
): number {
  return Math.max(12, Math.ceil((1.5 * (lines * agentsPerContract + 2)) / machines));
}
