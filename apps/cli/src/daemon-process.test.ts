/** The daemon in place of the command line: arguments, exit code, and signals as a supervisor of services sends them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliStage } from './testing/cli.ts';

let stage: CliStage;
let home: string;
beforeEach(() => {
  stage = new CliStage();
  home = join(stage.home, 'daemon');
  mkdirSync(home);
});
afterEach(() => stage.remove());

describe('the daemon', () => {
  it('has our arguments, and we its exit code', async () => {
    const { code, stderr } = await stage.run(['daemon', 'join', '--api', 'http://127.0.0.1:9']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--token')]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'drains once when its whole group gets %s',
    async (signal) => {
      writeFileSync(join(home, 'key'), `mk_daemon_${'0'.repeat(32)}_${'k'.repeat(38)}`);
      const env = {
        MAKIMA_DAEMON_HOME: home,
        MAKIMA_API_URL: 'http://127.0.0.1:9',
        MAKIMA_GATEWAY_URL: 'ws://127.0.0.1:9/daemon',
      };
      const daemon = stage.start(['daemon', 'start'], { env, ownGroup: true });
      await daemon.until('"started"');
      const status = JSON.parse(readFileSync(join(home, 'status.json'), 'utf8')) as unknown;
      const { pid = 0 } = daemon.child;
      expect(status).toMatchObject({ pid });
      process.kill(-pid, signal);
      const { code, stdout, stderr } = await daemon.end;
      expect([code, `${stdout}${stderr}`]).toEqual([0, expect.not.stringContaining('second')]);
    },
  );
});
