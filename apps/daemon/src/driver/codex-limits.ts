/**
 * The usage limits of the person's plan, as Codex tells them with every answer of its model.
 *
 * Law: a warning is told once per window and its reset; a rejection always, with the reset of the window that
 * is used up.
 */
import type { DialectLink } from './dialect.ts';
import type { Json } from './json.ts';
import { isJson, numberOf } from './json.ts';

export interface CodexLimits {
  see(snapshot: Json): void;
  /** A request was rejected because a limit is reached. */
  rejected(): void;
  isRejected(): boolean;
  turnBegins(): void;
}

interface LimitWindow {
  readonly name: string | null;
  readonly usedPercent: number;
  readonly resetsAtMs: number | null;
}

const warnPercent = 90;

export function codexLimits(link: DialectLink): CodexLimits {
  let windows: readonly LimitWindow[] = [];
  const warned = new Set<string>();
  let isRejected = false;
  const emit = (status: 'warning' | 'rejected', window: LimitWindow | undefined) => {
    link.emit({
      t: 'limit',
      status,
      window: window?.name ?? null,
      utilization: window === undefined ? null : window.usedPercent / 100,
      resetsAtMs: window?.resetsAtMs ?? null,
    });
  };
  return {
    see(snapshot) {
      const told = [snapshot.primary, snapshot.secondary].filter(isJson).map(readWindow);
      // An update without windows takes nothing back.
      if (told.length === 0) return;
      windows = told;
      for (const window of windows) {
        const key = `${window.name} ${window.resetsAtMs}`;
        if (window.usedPercent < warnPercent || window.usedPercent >= 100 || warned.has(key)) {
          continue;
        }
        warned.add(key);
        emit('warning', window);
      }
    },
    rejected() {
      isRejected = true;
      emit('rejected', windows.toSorted((a, b) => b.usedPercent - a.usedPercent)[0]);
    },
    isRejected: () => isRejected,
    turnBegins() {
      isRejected = false;
    },
  };
}

function readWindow(window: Json): LimitWindow {
  const resetsAt = numberOf(window.resetsAt);
  const minutes = numberOf(window.windowDurationMins);
  return {
    name: minutes === null ? null : nameOf(minutes),
    usedPercent: numberOf(window.usedPercent) ?? 0,
    resetsAtMs: resetsAt === null ? null : resetsAt * 1000,
  };
}

function nameOf(minutes: number): string {
  if (minutes % 1440 === 0) return `${minutes / 1440}_day`;
  return minutes % 60 === 0 ? `${minutes / 60}_hour` : `${minutes}_minute`;
}
