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
  let timer: NodeJS.Timeout | undefined;
  let working = false;
  let since = performance.now();
  let count = 0;
  const arm = () => {
    clearTimeout(timer);
    if (!working) return;
    timer = setTimeout(() => {
      count += 1;
      options.onStall(Math.round(performance.now() - since), count);
      arm();
    }, options.stallMs);
    timer.unref();
  };
  return {
    alive() {
      since = performance.now();
      count = 0;
      if (working) timer?.refresh();
    },
    expecting(now) {
      if (now === working) return;
      working = now;
      since = performance.now();
      count = 0;
      arm();
    },
    stop() {
      working = false;
      clearTimeout(timer);
    },
  };
}
