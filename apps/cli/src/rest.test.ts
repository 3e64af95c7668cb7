/** How commands speak of who rests: parked, at a usage limit, or for a person to decide. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import { sampleContract, sampleId, sampleTask } from '@makima/client/testing/samples';
import { CliStage } from './testing/cli.ts';
import { until } from './time.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(async () => {
  await server.close();
  stage.url = undefined;
});
afterAll(() => stage.remove());

async function printed(handlers: Handlers, ...args: string[]): Promise<string> {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
  const { code, stdout } = await stage.run(args);
  expect(code).toBe(0);
  return stdout;
}

const at = '2030-01-01T12:00:00.000Z';
const contract = sampleContract(1, { slug: 'fix-login', attention: 'limited', limitedUntil: at });
const words = until(at, Date.now());

const withTask = (changes: Parameters<typeof sampleTask>[1]): Handlers => ({
  listContracts: () => ({ items: [contract], nextCursor: null }),
  listContractTasks: () => ({ items: [sampleTask(1, changes)] }),
  getTask: () => ({ ...sampleTask(1, changes), attempts: [] }),
});

describe('a task at its usage limit', () => {
  it.each([
    [at, `limited: at its usage limit, goes on at ${words}`],
    [null, 'limited: you decide whether it goes on (makima inbox)'],
  ])('that goes on at %s is shown so', async (resumeAt, line) => {
    const task = { status: 'paused', session: 'limited', resumeAt } as const;
    const shown = await printed(withTask(task), 'tasks', 'show', sampleId('task', 1));
    expect(shown).toContain(`session\t${line}\n`);
  });
});

it('a parked task is shown as what it is: waiting at no cost', async () => {
  const task = { status: 'paused', session: 'parked' } as const;
  const shown = await printed(withTask(task), 'tasks', 'show', sampleId('task', 1));
  expect(shown).toContain('session\tparked: it waits without a process, at no cost\n');
});

it('a contract at its limit says until when in the list', async () => {
  const shown = await printed(withTask({}), 'contracts', 'list');
  expect(shown).toContain(`limited -> ${words}`);
});

it('a machine says which of its agents are limited, and until when', async () => {
  const agent = { version: '1', tested: true, available: true, signedIn: true, note: null };
  const daemon = {
    id: sampleId('other', 1),
    name: 'box',
    host: 'box',
    version: '1',
    status: 'connected' as const,
    sessionEpoch: 1,
    currentTaskCount: 0,
    maxConcurrentTasks: 4,
    agents: [
      { kind: 'claude', ...agent },
      { kind: 'scripted', ...agent },
    ],
    limits: [{ agent: 'claude', until: at, window: 'five_hour' }],
    connectedAt: at,
    lastSeenAt: at,
  };
  const shown = await printed({ listDaemons: () => ({ items: [daemon] }) }, 'daemon', 'list');
  expect(shown).toContain(`claude 1 (limited until ${words}), scripted 1`);
});

it('a moment to come is a time of today, else with its day', () => {
  const now = new Date(2030, 0, 1, 9, 30).getTime();
  expect(until(new Date(2030, 0, 1, 17, 42).toISOString(), now)).toBe('17:42');
  expect(until(new Date(2030, 0, 2, 0, 5).toISOString(), now)).toBe('01-02 00:05');
});
