/** `makima daemon list`: which agents a machine has, in which version, and what keeps them from work. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
} from '@makima/client/testing/described-server';
import { sampleId } from '@makima/client/testing/samples';
import type { Daemon } from '@makima/contracts/entity/daemon';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(async () => {
  await server.close();
  stage.url = undefined;
});
afterAll(() => stage.remove());

const ready = { tested: true, available: true, signedIn: true, note: null };
const agents: Daemon['agents'] = [
  { ...ready, kind: 'scripted', version: '1.0.0' },
  { ...ready, kind: 'claude', version: '2.2.0', tested: false },
  {
    kind: 'codex',
    version: '0.169.0',
    tested: true,
    available: false,
    signedIn: false,
    note: 'Nobody is signed in to Codex. Run "codex login".',
  },
  {
    kind: 'gemini',
    version: null,
    tested: false,
    available: false,
    signedIn: null,
    note: 'Gemini was not found on PATH. Install it.',
  },
];

const machine = (of: Daemon['agents']): Daemon => ({
  id: sampleId('other', 1),
  name: 'desk',
  host: 'desk.local',
  version: '0.1.0',
  status: 'connected',
  sessionEpoch: 1,
  currentTaskCount: 0,
  maxConcurrentTasks: 4,
  limits: [],
  agents: [...of],
  connectedAt: null,
  lastSeenAt: null,
});

async function list(of: Daemon['agents'], ...more: string[]) {
  server = await startDescribedServer({ listDaemons: () => ({ items: [machine(of)] }) });
  stage.url = server.url;
  return stage.run(['daemon', 'list', ...more]);
}

describe('the list of machines', () => {
  it('names each agent that is there with its version, and says what is missing', async () => {
    const { code, stdout, stderr } = await list(agents);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'scripted 1.0.0, claude 2.2.0 (untested version), codex 0.169.0 (not signed in)',
    );
    expect(stderr).toBe('desk: codex: Nobody is signed in to Codex. Run "codex login".\n');
  });

  it('says none where none is there', async () => {
    const { stdout, stderr } = await list(agents.slice(3));
    expect(stdout).toContain('\tnone\t');
    expect(stderr).toBe('');
  });

  it('in JSON is what the API gives', async () => {
    const { stdout } = await list(agents, '-o', 'json');
    const { items } = JSON.parse(stdout) as { items: Daemon[] };
    expect(items[0]?.agents).toEqual(agents);
  });
});
