/** The watchdog of silence. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stallWatch } from './stall.ts';

describe('stallWatch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  function watching() {
    const told: [number, number][] = [];
    const watch = stallWatch({
      stallMs: 100,
      onStall: (silentMs, count) => told.push([silentMs, count]),
    });
    return { watch, told };
  }

  it('tells of silence while work is expected, again and again', () => {
    const { watch, told } = watching();
    watch.expecting(true);
    vi.advanceTimersByTime(250);
    expect(told).toEqual([
      [100, 1],
      [200, 2],
    ]);
  });

  it('begins anew with each sign of life', () => {
    const { watch, told } = watching();
    watch.expecting(true);
    vi.advanceTimersByTime(90);
    watch.alive();
    vi.advanceTimersByTime(90);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(20);
    watch.alive();
    vi.advanceTimersByTime(110);
    expect(told).toEqual([
      [100, 1],
      [100, 1],
    ]);
  });

  it('is silent while nothing is expected, and after its end', () => {
    const { watch, told } = watching();
    vi.advanceTimersByTime(500);
    watch.expecting(true);
    watch.expecting(false);
    vi.advanceTimersByTime(500);
    watch.expecting(true);
    watch.stop();
    vi.advanceTimersByTime(500);
    expect(told).toEqual([]);
  });

  it('never tells of less silence than it waits for, though its timer fires early', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const { watch, told } = watching();
    watch.expecting(true);
    now = 99.4;
    vi.advanceTimersByTime(100);
    expect(told).toEqual([]);
    now = 100.4;
    vi.advanceTimersByTime(1);
    now = 200.1;
    vi.advanceTimersByTime(100);
    expect(told).toEqual([[100, 1]]);
    now = 200.6;
    vi.advanceTimersByTime(1);
    expect(told).toEqual([
      [100, 1],
      [201, 2],
    ]);
  });
});
