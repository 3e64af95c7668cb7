/** Budgets on the command line: what is sent, and how much is said to be used. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import { sampleContract, sampleDetail, sampleTask } from '@makima/client/testing/samples';
import { nothingSpent } from '@makima/domain/usage';
import { budgetFact } from './budget.ts';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(async () => {
  await server.close();
  stage.url = undefined;
});
afterAll(() => stage.remove());

const usage = { ...nothingSpent, outputTokens: 12_400, costMicros: 8_100_000 };
const budget = { tokens: null, costMicros: 10_000_000, warnedAt: null, heldAt: null, once: null };
const contract = sampleContract(1, { slug: 'fix-login', usage, budget });
const handlers: Handlers = {
  listContracts: () => ({ items: [contract], nextCursor: null }),
  getContract: () => sampleDetail(1, contract),
  createContract: () => sampleDetail(1, contract),
  patchContract: ({ body }) =>
    sampleDetail(1, {
      ...contract,
      budget: body.budget == null ? null : { ...budget, ...(body.budget as object) },
    }),
};

async function run(...words: string[]): Promise<[number | null, string]> {
  server = await startDescribedServer(handlers);
  stage.url = server.url;
  const { code, stdout, stderr } = await stage.run(words);
  return [code, stdout + stderr];
}

describe('contracts budget', () => {
  it('says how much is used', async () => {
    const [code, said] = await run('contracts', 'budget', 'fix-login');
    expect([code, said]).toEqual([0, 'fix-login: $8.10 of $10.00 (81 %)\n']);
  });

  it('says how far it may go on once', () => {
    const once = { tokens: null, costMicros: 11_200_000 };
    expect(budgetFact({ budget: { ...budget, once }, usage })).toBe(
      '$8.10 of $10.00 (81 %); let go on once, to $11.20',
    );
  });

  it('changes what is named, and leaves the rest', async () => {
    const [code, said] = await run('contracts', 'budget', 'fix-login', '--tokens', '20000');
    expect([code, said]).toEqual([
      0,
      'fix-login: $8.10 of $10.00 (81 %) and 12.4k of 20k tokens (62 %)\n',
    ]);
    expect(server.received.at(-1)?.body).toEqual({
      budget: { costMicros: 10_000_000, tokens: 20_000 },
      expectedVersion: contract.version,
    });
  });

  it('takes it away', async () => {
    const [code, said] = await run('contracts', 'budget', 'fix-login', '--none');
    expect([code, said]).toEqual([0, 'fix-login: no budget\n']);
  });

  it.each([[['ten']], [['0']], [['5', '--none']]])('refuses %j', async (words) => {
    const [code] = await run('contracts', 'budget', 'fix-login', ...words);
    expect(code).toBe(2);
    expect(server.received.map(({ body }) => body).filter((body) => body != null)).toEqual([]);
  });
});

it('goes with a contract that is made', async () => {
  const [code] = await run(
    'contracts',
    'create',
    'do it',
    '--repo',
    'https://example.com/x.git',
    '--budget',
    '$2.50',
  );
  expect(code).toBe(0);
  expect(server.received.at(-1)?.body).toMatchObject({
    budget: { costMicros: 2_500_000, tokens: null },
  });
});

it('is shown with what was used, and in lists', async () => {
  const [, said] = await run('contracts', 'show', 'fix-login');
  expect(said).toContain('12.4k tokens, $8.10');
  expect(said).toContain('$8.10 of $10.00 (81 %)');
  await server.close();
  const [, rows] = await run('contracts', 'list');
  expect(rows).toContain('\t8.10\t');
});

it('that is used up says who decides', async () => {
  const task = sampleTask(1, {
    usage,
    budget: { ...budget, costMicros: 1, heldAt: '2026-01-01T00:00:00.000Z' },
  });
  server = await startDescribedServer({ getTask: () => ({ ...task, attempts: [] }) });
  stage.url = server.url;
  const { stdout: said } = await stage.run(['tasks', 'show', task.id]);
  expect(said).toContain('used up, you decide (makima inbox)');
});
