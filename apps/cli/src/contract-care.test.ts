/** Commands that look after contracts: filters and formats of the list, health, export, batch, cleanup. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleContract,
  sampleDetail,
  sampleEvent,
  sampleId,
  sampleQuestion,
  sampleTask,
} from '@makima/client/testing/samples';
import { MakimaError } from '@makima/domain/error';
import { CliStage } from './testing/cli.ts';
import { hasTmux, openTerminal } from './testing/terminal.ts';

const stage = new CliStage();
let server: DescribedServer;
const id = sampleId('contract', 1);
/** Bodies that were sent to the batch, in order. */
let sent: any[];
const preview = [1, 2].map((n) => ({
  id: sampleId('contract', n),
  slug: `contract-${n}`,
  name: `Contract ${n}`,
  status: 'failed' as const,
  since: '2026-03-01T10:00:00.000Z',
}));
const errors = [{ contract_id: sampleId('contract', 2), code: 'CONFLICT', error: 'it moved on' }];

const healthy: Handlers = {
  listContracts: () => ({ items: [sampleContract(1, { slug: 'fix' })], nextCursor: null }),
  getContract: () => sampleDetail(1, { slug: 'fix' }),
  listContractTasks: () => ({ items: [sampleTask(1), sampleTask(2, { status: 'pending' })] }),
  getTask: () => ({ ...sampleTask(1), attempts: [] }),
  listDaemons: () => ({ items: [] }),
  phaseReadiness: () => ({
    phase: 'plan',
    ready: false,
    no_gate: false,
    missing: [{ kind: 'deliverable', id: 'plan-document', reason: 'The plan is missing.' }],
    auto_advance_enabled: true,
  }),
  whyContract: () => ({
    id,
    kind: 'contract',
    status: 'active',
    moving: true,
    summary: 'it works',
    blockers: [],
  }),
  supervisorStatus: () => ({
    task_id: sampleId('task', 1),
    state: 'working',
    phase: 'plan',
    current_activity: 'Thinking',
    progress: 10,
    last_heartbeat: null,
    pending_task_ids: [],
    epoch: 3,
    session: 'live',
    restoration_count: 0,
    last_restored_at: null,
    restoration_source: null,
    pending_question_ids: [],
    error_message: null,
    spawned_task_ids: [],
    message_count: 0,
    last_checkpoint_id: null,
  }),
  listQuestions: ({ query }) => ({
    items: query.status === 'cancelled' ? [] : [sampleQuestion(1, { status: query.status })],
    nextCursor: null,
  }),
  listEvents: ({ query }) => ({
    items: query.after === undefined ? [sampleEvent(1, 'contract.created')] : [],
    nextCursor: query.after === undefined ? 'more' : null,
    cursor: 'c',
  }),
  batchContracts: ({ body }) => {
    sent.push(body);
    const dry = body.dry_run === true;
    const none = body.operation === 'resume_all';
    return {
      operation: body.operation,
      dry_run: dry,
      affected_count: none ? 0 : dry ? 2 : 1,
      affected_ids: [],
      errors: dry || none ? [] : errors,
      preview: none ? [] : preview,
      remaining: false,
    };
  },
};
async function serve(handlers: Handlers): Promise<void> {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
}
beforeEach(async () => {
  sent = [];
  await serve(healthy);
});
afterEach(() => server.close());
afterAll(() => stage.remove());

describe('contracts list', () => {
  it('combines filters', async () => {
    const filters = ['--status', 'completed,failed', '--phase', 'execute', '--stale'];
    await stage.run(['contracts', 'list', ...filters, '--threshold', '90m', '-n', '5']);
    expect(server.received.at(-1)?.query).toEqual({
      limit: 5,
      status: ['completed', 'failed'],
      phase: 'execute',
      stale: true,
      staleMinutes: 90,
    });
    const wrong = await stage.run(['contracts', 'list', '--status', 'active,gone']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("'gone' is none of created, active");
  });

  it('is compact when asked', async () => {
    const { stdout } = await stage.run(['contracts', 'list', '--format', 'compact']);
    expect(stdout).toBe('fix active plan running\n');
  });
});

describe('contracts health', () => {
  it('is a line for each thing, and exit 0 when all is well', async () => {
    const { code, stdout } = await stage.run(['contracts', 'health', 'fix']);
    const rows = stdout.trimEnd().split('\n');
    expect(rows.map((row) => row.split('\t').slice(0, 2))).toEqual([
      ['status', 'ok'],
      ['supervisor', 'ok'],
      ['heartbeat', 'ok'],
      ['lease', 'ok'],
      ['machine', 'ok'],
      ['queue', 'ok'],
      ['tasks', 'ok'],
      ['progress', 'ok'],
      ['gate', 'wait'],
    ]);
    expect(stdout).toContain('working, epoch 3, Thinking');
    expect(stdout).toContain('plan: The plan is missing.');
    expect(code).toBe(0);
  });

  it('says what is not well, and exit 1', async () => {
    await server.close();
    await serve({
      ...healthy,
      getContract: () =>
        sampleDetail(1, { slug: 'fix', status: 'blocked', blockedReason: 'no disk' }),
      supervisorStatus: () => {
        throw new MakimaError('SUPERVISOR_DEAD', 'no sign of life for 5 minutes');
      },
    });
    const { code, stdout } = await stage.run(['contracts', 'health', 'fix', '-o', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      slug: 'fix',
      healthy: false,
      checks: [
        { check: 'status', state: 'bad', detail: 'blocked: no disk' },
        { check: 'supervisor', state: 'bad', detail: 'no sign of life for 5 minutes' },
        {},
        {},
        {},
        {},
      ],
    });
  });
});

it('contracts show --verbose has tasks and evidence', async () => {
  const { stdout } = await stage.run(['contracts', 'show', 'fix', '--verbose']);
  expect(stdout).toContain('task\ttask 2: pending, attempt 1\n');
});

it.each([[[]], [['--verbose']]])(
  'contracts show %j has deliverables and kept work in a pipe, too',
  async (more) => {
    const [owed] = sampleDetail(1).deliverables;
    if (owed === undefined) throw new Error('the sample owes nothing');
    const moved = { stale: true, staleReason: 'a merge touched PLAN.md' };
    await server.close();
    server = await startDescribedServer({
      ...healthy,
      getContract: () =>
        sampleDetail(1, {
          slug: 'fix',
          deliverables: [
            { ...owed, id: 'a', completed: true, stale: false },
            { ...owed, id: 'b', completed: false, stale: false, required: false },
            { ...owed, id: 'c', completed: true, ...moved },
          ],
          keptRefs: [{ taskId: sampleId('task', 1), ref: 'refs/makima/kept/t', why: 'stopped' }],
        }),
    });
    stage.url = server.url;
    const { stdout } = await stage.run(['contracts', 'show', 'fix', ...more]);
    const lines = stdout.split('\n').filter((line) => /^(deliverable|kept)\t/.test(line));
    expect(lines).toEqual([
      `deliverable\ta: done, ${owed.phase}`,
      `deliverable\tb: not done, ${owed.phase}, optional`,
      `deliverable\tc: stale (a merge touched PLAN.md), ${owed.phase}`,
      'kept\trefs/makima/kept/t: stopped',
    ]);
  },
);

it('contracts export is one document, on stdout or in a file', async () => {
  const { stdout } = await stage.run(['contracts', 'export', 'fix', '--format', 'json']);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({
    version: 1,
    contract: { slug: 'fix' },
    readiness: { phase: 'plan' },
    why: { summary: 'it works' },
    tasks: [{ name: 'task 1' }, { name: 'task 2' }],
    questions: [{ status: 'open' }, { status: 'answered' }],
    events: [{ type: 'contract.created' }],
  });
  const written = await stage.run(['contracts', 'export', 'fix', '--output', 'contract.json']);
  expect([written.code, written.stdout]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(join(stage.home, 'contract.json'), 'utf8'))).toEqual(document);
  const lost = await stage.run(['contracts', 'export', 'fix', '--output', 'nowhere/contract.json']);
  expect(lost.code).toBe(2);
  expect(lost.stderr).toMatch(
    /cannot write .*nowhere\/contract\.json \(ENOENT\)\n {2}fix {3}name a file/,
  );
});

describe('contracts batch', () => {
  it('shows what it is about and is refused where nobody can say yes', async () => {
    const { code, stdout, stderr } = await stage.run(['contracts', 'batch', 'archive-old']);
    expect(code).toBe(2);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout).toContain('\tcontract-1\tfailed\t');
    expect(stderr).toContain(
      'archive_old 2 contracts: nobody is here to say yes, so nothing was done',
    );
    expect(stderr).toContain('add --yes');
    expect(sent).toEqual([{ operation: 'archive_old', dry_run: true, confirm: false }]);
  });

  it('does it with --yes, tells what failed, and exit 1 for it', async () => {
    const words = ['--older-than', '2d', '--status', 'failed', '--reason', 'tidy', '--yes'];
    const { code, stdout, stderr } = await stage.run([
      'contracts',
      'batch',
      'archive_old',
      ...words,
    ]);
    expect([code, stdout]).toEqual([1, 'archive_old: 1 done, 1 not\n']);
    expect(stderr).toContain(`${sampleId('contract', 2)}: it moved on`);
    const body = { operation: 'archive_old', older_than_hours: 48, status_filter: ['failed'] };
    expect(sent).toEqual([
      { ...body, reason: 'tidy', dry_run: true, confirm: false },
      { ...body, reason: 'tidy', dry_run: false, confirm: true },
    ]);
  });

  it('lets agents end their turns before a pause of all', async () => {
    const words = ['pause-all', '--finish-turn', '10m', '--yes'];
    await stage.run(['contracts', 'batch', ...words]);
    expect(sent.at(-1)).toMatchObject({ operation: 'pause_all', finish_turn_seconds: 600 });
  });

  it('says when no contract is like that, and refuses what is no operation', async () => {
    const none = await stage.run(['contracts', 'batch', 'resume_all', '--yes']);
    expect([none.code, none.stdout]).toEqual([0, '']);
    expect(none.stderr).toContain('no contract is like that');
    expect(sent).toHaveLength(1);
    const wrong = await stage.run(['contracts', 'batch', 'burn']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('restart_stale');
  });

  it.runIf(hasTmux)('asks a person, and takes their no', async () => {
    const terminal = await openTerminal(stage, ['contracts', 'batch', 'archive_old']);
    await terminal.until('archive_old 2 contracts? [y/N]');
    await terminal.press('n', 'Enter');
    expect(await terminal.exitCode()).toBe(3);
    await terminal.close();
    expect(sent).toHaveLength(1);
  });
});

describe('contracts cleanup', () => {
  it('only shows it with --dry-run, and where nobody can say yes', async () => {
    const dry = await stage.run(['contracts', 'cleanup', '--archive', '--dry-run']);
    expect([dry.code, dry.stdout.trimEnd().split('\n').length]).toEqual([0, 2]);
    const quiet = await stage.run(['contracts', 'cleanup', '--delete-archived']);
    expect(quiet.stderr).toContain('--force');
    expect(sent.every((body) => body.dry_run === true)).toBe(true);
  });

  it('does all of it with --force, deleting before it archives', async () => {
    const all = ['contracts', 'cleanup', '--all', '--older-than', '30d', '--force', '-o', 'json'];
    const { code, stdout } = await stage.run(all);
    expect(code).toBe(1);
    const { items } = JSON.parse(stdout) as { items: { operation: string }[] };
    const order = ['clean_worktrees', 'cleanup_archived', 'archive_old'];
    expect(items.map(({ operation }) => operation)).toEqual(order);
    expect(sent.map((body) => body.older_than_hours)).toEqual(Array(6).fill(720));
    const nothing = await stage.run(['contracts', 'cleanup']);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toContain('--archive, --delete-archived, --worktrees or --all');
  });
});
