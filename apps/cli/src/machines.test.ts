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

describe('a supervisor', () => {
  it('is brought back at the checkpoint and on the machine that were named', async () => {
    const id = sampleId('contract', 1);
    const task = sampleId('task', 1);
    const checkpoint = sampleId('other', 7);
    server = await startDescribedServer({
      listDaemons: () => ({ items: [machine(agents)] }),
      supervisorStatus: () => ({ ...status, task_id: task }),
      listCheckpoints: () => ({ items: [{ ...made, id: checkpoint, taskId: task }] }),
      resumeSupervisor: () => ({
        supervisorTaskId: task,
        daemonId: sampleId('other', 1),
        resumedFrom: { phase: 'plan', lastActivity: '2030-01-01T00:00:00Z', messageCount: 3 },
        status: 'pending',
        restoration: { ...info, warnings: ['Daemon \u001b[31mdesk is away.'] },
      }),
    });
    stage.url = server.url;
    const resume = ['contracts', 'restart-supervisor', id];
    const back = [...resume, '--mode', 'from_checkpoint', '--checkpoint', '2', '--daemon', 'desk'];
    const { code, stderr } = await stage.run([...back, '--context', 'Mind the tests.']);
    expect(code).toBe(0);
    expect(stderr).toContain('! Daemon desk is away.');
    expect(stderr).toContain(`goes on in plan, restoration 2. Follow it: makima watch ${id}`);
    expect(server.received.at(-1)).toMatchObject({
      id: 'resumeSupervisor',
      body: {
        resumeMode: 'from_checkpoint',
        checkpointId: checkpoint,
        targetDaemonId: sampleId('other', 1),
        additionalContext: 'Mind the tests.',
      },
    });
    const json = await stage.run([...resume, '-o', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ supervisorTaskId: task });
    const wrong = await stage.run([...resume, '--checkpoint', '9']);
    expect(wrong.stderr).toContain('choose one of: 2');
    const nowhere = await stage.run([...resume, '--daemon', 'shed']);
    expect(nowhere.stderr).toContain("there is no machine 'shed'");
  });
});

const status = {
  state: 'interrupted',
  phase: 'plan',
  current_activity: null,
  progress: 0,
  last_heartbeat: null,
  pending_task_ids: [],
  epoch: 1,
  session: 'none',
  restoration_count: 1,
  last_restored_at: null,
  restoration_source: null,
  pending_question_ids: [],
};

const made = {
  checkpointNumber: 2,
  commitSha: 'c'.repeat(40),
  message: 'Half way',
  branchName: 'makima/x',
  filesChanged: 1,
  linesAdded: 1,
  linesRemoved: 0,
  createdAt: '2030-01-01T00:00:00Z',
};

const info = {
  previousState: 'working',
  restorationCount: 2,
  pendingQuestionsCount: 0,
  waitingTasksCount: 0,
  spawnedTasksCount: 0,
};
