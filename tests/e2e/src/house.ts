// A whole makima for one file of end-to-end tests: stack, client, ledger of the agents, store to look into.
// Why: every test here goes through the real API, queues, gateway, daemon and git, and needs the same things.
// Law: what a test looks at is what people can reach; the store and the ledger are oracles, never levers.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@makima/client/client';
import { startTestStack, type TestStack, type TestStackOptions } from '@makima/stack/test-stack';
import { checkEverything } from '@makima/test-chaos/checker';
import { readLedger } from '@makima/test-chaos/ledger';
import postgres from 'postgres';
import { beforeEach, expect, onTestFailed } from 'vitest';

export interface House extends TestStack {
  readonly client: Client;
  /** File to which every scripted agent writes what it does. */
  readonly ledger: string;
  readonly sql: postgres.Sql;
  /** Copies the logs out of the house before it goes, if the folder is named by MAKIMA_E2E_LOGS. */
  keepLogs(): void;
  close(): Promise<void>;
}

/** Tests ask in quick succession; the limits of one key are not what is tested. */
const limits = 'requestsPerKeyPerMinuteMax=100000,failedAuthPerAddressPerMinuteMax=100000';

export async function openHouse(options: TestStackOptions = {}): Promise<House> {
  const scratch = mkdtempSync(join(tmpdir(), 'makima-e2e-'));
  const ledger = join(scratch, 'ledger.jsonl');
  let keep = false;
  const stack = await startTestStack({
    ...options,
    env: { MAKIMA_LIMITS: limits, MAKIMA_LEDGER: ledger, MAKIMA_MAX_TASKS: '8', ...options.env },
    keepLogsIn: () => (keep ? process.env.MAKIMA_E2E_LOGS : undefined),
  });
  const sql = postgres(stack.stack.addresses.databaseUrl, { max: 2, onnotice: () => {} });
  return {
    ...stack,
    ledger,
    sql,
    client: createClient({ baseUrl: stack.url, key: stack.ownerKey }),
    keepLogs: () => void (keep = true),
    async close() {
      await sql.end({ timeout: 5 });
      await stack.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/**
 * The tests of this block are steps of one story: after one that failed the rest is passed over, since it
 * would only wait for what will not come. The logs of a failure outlive the house.
 */
export function inOrder(houseOf: () => House): void {
  let broken = false;
  beforeEach(({ skip }) => {
    skip(broken, 'an earlier step failed');
    onTestFailed(async () => {
      broken = true;
      houseOf().keepLogs();
      process.stderr.write(await lastWords(houseOf()));
    });
  });
}

/** What the agents of unfinished contracts said last, for whoever reads of a failure. */
async function lastWords({ sql }: House): Promise<string> {
  const rows = await sql<{ slug: string; name: string; attempt: number; line: string }[]>`
    select c.slug, t.name, o.attempt, left(l ->> 'content', 300) as line
      from contracts c join tasks t on t.contract_id = c.id
      join lateral (
        select attempt, lines from task_outputs where task_id = t.id order by attempt desc, from_seq desc limit 3
      ) o on true, jsonb_array_elements(o.lines) l
     where c.status not in ('completed', 'archived')`;
  const said = rows.map(({ slug, name, attempt, line }) => `  ${slug}/${name}#${attempt}: ${line}`);
  return `\nthe agents said last:\n${said.join('\n')}\n`;
}

/** Nothing lost, nothing doubled, nothing broken: the invariants over rows, events and ledger. */
export async function expectInvariants(house: House): Promise<void> {
  const verdict = await checkEverything(
    house.stack.addresses.databaseUrl,
    readLedger(house.ledger),
  );
  expect(verdict).toEqual({ lost: [], doubled: [], broken: [] });
}
