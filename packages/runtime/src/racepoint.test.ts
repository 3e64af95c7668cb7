/** Racepoints: free when off; crash, pause and latch by name when on. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { initRacepoints, racepoint, racepointReached, releaseRacepoint } from './racepoint.ts';

afterEach(() => void initRacepoints(undefined));

describe('racepoint', () => {
  it('is nothing at all unless it was set', () => {
    expect(racepoint('outbox.after_add')).toBeUndefined();
    expect(initRacepoints('a.b=pause:1')).toEqual(['a.b']);
    expect(racepoint('outbox.after_add')).toBeUndefined();
  });

  it('pauses, and springs at the n-th passing only', async () => {
    initRacepoints('one@2=pause:20');
    expect(await racepoint('one')).toBeUndefined();
    const since = performance.now();
    await racepoint('one');
    expect(performance.now() - since).toBeGreaterThanOrEqual(15);
  });

  it('latches until it is let go', async () => {
    initRacepoints('one=latch');
    let passed = false;
    const passing = Promise.resolve(racepoint('one')).then(() => (passed = true));
    await racepointReached('one');
    expect(passed).toBe(false);
    releaseRacepoint('one');
    await passing;
  });

  it('latches on a file, for another process to let go', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'makima-race-'));
    const file = join(dir, 'go');
    initRacepoints(`one=latch:${file}`);
    const passing = racepoint('one');
    expect(existsSync(`${file}.reached`)).toBe(true);
    writeFileSync(file, '');
    await passing;
    rmSync(dir, { recursive: true });
  });

  it('crashes with 137 and nobody tidies up', () => {
    const code = `
      import { initRacepoints, racepoint } from './racepoint.ts';
      process.on('exit', () => console.log('tidy'));
      initRacepoints('one=crash');
      await racepoint('one');
      console.log('alive');`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    expect([run.status, run.stdout]).toEqual([137, '']);
  });

  it('crashes once for each time that its file is put there', () => {
    const dir = mkdtempSync(join(tmpdir(), 'makima-race-'));
    const file = join(dir, 'armed');
    const code = `
      import { initRacepoints, racepoint } from './racepoint.ts';
      initRacepoints('one=crash:${file}');
      await racepoint('one');`;
    const run = (): number | null =>
      spawnSync(process.execPath, ['--input-type=module', '-e', code], {
        cwd: import.meta.dirname,
      }).status;
    writeFileSync(file, '');
    expect([run(), existsSync(file), run()]).toEqual([137, false, 0]);
    rmSync(dir, { recursive: true });
  });

  it('does not start with any in production', () => {
    expect(() => initRacepoints('one=crash', 'production')).toThrow('for tests alone');
    expect(initRacepoints('', 'production')).toEqual([]);
  });

  it('refuses what it does not understand', () => {
    expect(() => initRacepoints('one=explode')).toThrow('not understood');
  });
});
