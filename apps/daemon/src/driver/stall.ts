/**
 * The watchdog of silence: an agent that works, runs no tool and says nothing is stalled. The agents' own
 * idle limits are minutes long or absent.
 *
 * Law: it tells, it does not act. What follows is decided where the agent is listened to.
 */

export interface StallWatch {
  /** Something came from the agent. */
  alive(): void;
  /** Whether silence would be a fault now: a turn runs and no tool does. */
  expecting(working: boolean): void;
  stop(): void;
}

export function stallWatch(options: {
  readonly stallMs: number;
  readonly onStall: (silentMs: number, count: number) => void;
}): StallWatch {
  const { stallMs, onStall } = options;
  let timer: NodeJS.Timeout | undefined;
  let working = false;
  let since = performance.now();
  let dueAt = since;
  let count = 0;
  const tell = () => {
    const now = performance.now();
    // A timer may fire a fraction of a millisecond before its time, by the clock that the silence is told in.
    if (now < dueAt) return arm(dueAt - now);
    count += 1;
    dueAt = now + stallMs;
    onStall(Math.round(now - since), count);
    arm(stallMs);
  };
  const arm = (leftMs: number) => {
    clearTimeout(timer);
    if (!working) return;
    timer = setTimeout(tell, Math.ceil(leftMs));
    timer.unref();
  };
  const anew = () => {
    since = performance.now();
    dueAt = since + stallMs;
    count = 0;
  };
  return {
    alive() {
      anew();
      if (working) timer?.refresh();
    },
    expecting(now) {
      if (now === working) return;
      working = now;
      anew();
      arm(stallMs);
    },
    stop() {
      working = false;
      clearTimeout(timer);
    },
  };
}
