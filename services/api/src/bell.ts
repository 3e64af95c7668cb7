/**
 * A bell that somebody waits for, now or later: it remembers one ring while nobody waits.
 */
export interface Bell {
  ring(): void;
  /** Whether it rang within `waitMs`. */
  wait(waitMs: number): Promise<boolean>;
}

export function createBell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    wait(waitMs) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wake = undefined;
          const result = rung;
          rung = false;
          resolve(result);
        };
        const timer = setTimeout(done, waitMs);
        wake = done;
        if (rung) done();
      });
    },
  };
}
