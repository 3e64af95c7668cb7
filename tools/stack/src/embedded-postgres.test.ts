// The embedded Postgres itself: its doors, its secrets, its restarts. (Here because it needs a client.)
import { preparePostgres, type PreparedPostgres } from '@makima/postgres/launch';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anyFreePort } from './ports.ts';
import { startScratchProcess, type ScratchProcess } from './scratch-process.ts';
import { postgresReady } from './store-ready.ts';

let dir: string;
let server: ScratchProcess | undefined;

beforeEach(() => {
  // Deeper than the 107 bytes that a socket's path may have.
  dir = join(mkdtempSync(join(tmpdir(), 'makima postgres ')), 'deep '.repeat(24).trim());
});
afterEach(async () => {
  // A clean end: a killed one leaves its shared memory to the next start.
  await server?.end('SIGINT');
  server = undefined;
  rmSync(join(dir, '..'), { recursive: true, force: true });
});

const start = async (): Promise<PreparedPostgres> => {
  const port = await anyFreePort();
  const prepared = await preparePostgres({ dir, port, password: 'right', durability: 'durable' });
  const started = startScratchProcess(prepared.program);
  server = started;
  await postgresReady(prepared.url, { timeoutMs: 20_000, failure: () => started.failure() });
  return prepared;
};

const query = async (url: string, text: string): Promise<unknown> => {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 0 });
  }
};

describe('embedded Postgres', () => {
  it('asks for its password, listens on loopback only, and shows no secret', async () => {
    const { url } = await start();
    await expect(query(url.replace('right', 'wrong'), 'select 1')).rejects.toThrow(/password/);
    expect(await query(url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(await query(url, 'show unix_socket_directories')).toEqual([
      { unix_socket_directories: '' },
    ]);
    expect(await query(url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(readFileSync(`/proc/${server!.pid}/cmdline`, 'utf8')).not.toContain('right');
  });

  it('keeps what was committed through kill -9', async () => {
    const { url } = await start();
    await query(url, 'create table kept as select 1 as id');
    await server!.end('SIGKILL');
    const again = await start();
    expect(await query(again.url, 'select id from kept')).toEqual([{ id: 1 }]);
  });

  it('is not stopped by the pid file of a dead one, whoever has its number today', async () => {
    await start();
    await server!.end('SIGINT');
    writeFileSync(join(dir, 'data', 'postmaster.pid'), `${process.pid}\n${dir}/data\n1\n1\n\n\n`);
    await expect(start()).resolves.toBeDefined();
  });

  it('makes a new cluster when the first one was interrupted', async () => {
    mkdirSync(join(dir, 'new-0badcafe'), { recursive: true });
    writeFileSync(join(dir, 'new-0badcafe', 'PG_VERSION'), '18\n');
    const { url } = await start();
    expect(existsSync(join(dir, 'new-0badcafe'))).toBe(false);
    expect(await query(url, 'select uuidv7() is not null as ok')).toEqual([{ ok: true }]);
  });
});
