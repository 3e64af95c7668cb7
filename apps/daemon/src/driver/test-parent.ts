/** For kill.test.ts: a stand-in for a daemon, which starts a scripted agent and is then killed. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { scriptedDriver } from './scripted.ts';

const home = process.env.TEST_HOME ?? '';
const driver = scriptedDriver({ sessionsDir: join(home, 'sessions'), environment: process.env });
const session = await driver.start({
  runId: process.env.TEST_RUN ?? '',
  taskId: 'task',
  attempt: 1,
  sessionId: randomUUID(),
  cwd: process.env.HOME ?? '/',
  home,
  mode: 'new',
  permission: 'bypass',
  prompt: {
    id: randomUUID(),
    text: '```makima-script\nsteps:\n  - run: [sh, -c, "setsid sleep 300 & sleep 300"]\n```',
  },
});
for await (const event of session.events)
  if (event.t === 'tool_start') process.stdout.write('ready\n');
