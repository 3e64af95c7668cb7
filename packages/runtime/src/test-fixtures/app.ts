/** A process with one part, misbehaving as its first argument says. For `lifecycle.test.ts`. */
import { runApp } from '../lifecycle.ts';
import { createLog } from '../log.ts';

const mode = process.argv[2];
const log = createLog({ service: 'fixture' });
const hangs = mode === 'hangs' || mode === 'hangs-long';
const alive = setInterval(() => {}, 1_000);

await runApp({
  log,
  drainMs: mode === 'hangs' ? 50 : 10_000,
  onDrain: () => log.info('not ready'),
  parts: [
    {
      name: 'part',
      start() {
        if (mode === 'start-fails') throw new Error('no port');
      },
      stop() {
        log.info('part stops');
        clearInterval(alive);
        if (hangs) return new Promise(() => {});
        return undefined;
      },
    },
  ],
});

if (mode === 'throws') {
  setImmediate(() => {
    throw new Error('thrown');
  });
}
if (mode === 'rejects') void Promise.reject(new Error('rejected'));
