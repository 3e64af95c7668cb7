/** What leads a contract, for people: how it is, what it did, and bringing it back. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
} from '@makima/client/testing/described-server';
import { sampleId } from '@makima/client/testing/samples';
import type { Daemon } from '@makima/contracts/entity/daemon';
import { MakimaError } from '@makima/domain/error';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(async () => {
  await server.close();
  stage.url = undefined;
});
afterAll(() => stage.remove());

const machine: Daemon = {
  id: sampleId('other', 1),
  name: 'desk',
  host: 'desk.local',
  version: '0.1.0',
  status: 'connected',
  sessionEpoch: 1,
  currentTaskCount: 0,
  maxConcurrentTasks: 4,
  limits: [],
  agents: [],
  connectedAt: null,
  lastSeenAt: null,
};

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
  error_message: null,
  spawned_task_ids: [],
  message_count: 3,
  last_checkpoint_id: null,
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

describe('a supervisor', () => {
  it('is brought back at the checkpoint and on the machine that were named', async () => {
    const id = sampleId('contract', 1);
    const task = sampleId('task', 1);
    const checkpoint = sampleId('other', 7);
    server = await startDescribedServer({
      listDaemons: () => ({ items: [machine] }),
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

describe('what leads a contract', () => {
  const id = sampleId('contract', 1);
  const about = { ...status, task_id: sampleId('task', 1), current_activity: 'a\u001b[31mb' };

  it('is shown, also when it is dead; a sync says what it mended', async () => {
    let pulse: 'dead' | 'beats' = 'beats';
    server = await startDescribedServer({
      supervisorStatus: () => {
        if (pulse === 'beats') return about;
        throw new MakimaError('SUPERVISOR_DEAD', 'nothing was heard', { details: about });
      },
      syncSupervisor: () => ({ synced: true, state: 'working', corrected_from: 'idle' }),
    });
    stage.url = server.url;
    const shown = await stage.run(['contracts', 'supervisor', id, '--sync']);
    expect(shown.stdout).toContain('state\tinterrupted\nactivity\tab\n');
    expect(shown.stderr).toBe('It was shown as idle; by its rows it is working.\n');
    const json = await stage.run(['contracts', 'supervisor', id, '-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual(about);
    pulse = 'dead';
    const silent = await stage.run(['contracts', 'supervisor', id]);
    expect(silent.code).not.toBe(0);
    expect(silent.stdout).toContain('state\tinterrupted');
    expect(silent.stderr).toContain('nothing was heard');
  });

  it('has a history of heartbeats', async () => {
    const beat = { timestamp: '2030-01-01T00:00:00Z', state: 'working', phase: 'plan', epoch: 1 };
    const rest = { activity: 'Spawned task x', progress: 4, pending_task_ids: [] };
    const beats = [{ ...beat, ...rest }];
    server = await startDescribedServer({
      supervisorHeartbeats: ({ query }) => ({ heartbeats: query.limit === 3 ? beats : [] }),
    });
    stage.url = server.url;
    const { stdout } = await stage.run(['contracts', 'heartbeats', id, '-n', '3']);
    expect(stdout).toBe('2030-01-01T00:00:00Z\tworking\tplan\t4%\t0\tSpawned task x\n');
    const json = await stage.run(['contracts', 'heartbeats', id, '-n', '3', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual({ heartbeats: beats });
    expect((await stage.run(['contracts', 'heartbeats', id])).stderr).toContain('No heartbeat');
  });
});
