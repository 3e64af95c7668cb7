// `makima status`: every process, its port, its health, its id.
// Why: the first thing to look at when something does not answer.
// Law: health is asked of the process at this moment, not read from a file. Exit code 0 when it runs, 3 when it does not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonIsConnected } from '../daemon-status.ts';
import type { Home } from '../home.ts';
import { answersOk } from '../http-probe.ts';
import { isAlive } from '../process-identity.ts';
import { runningState, type ProcessRecord } from '../state-file.ts';
import { pingRedis, postgresReady } from '../store-ready.ts';
import { exitCodes, readOptions, say, type Command } from './command.ts';

export type Health = 'ready' | 'live' | 'silent' | 'down';

export interface StatusReport {
  url: string | null;
  running: boolean;
  processes: {
    name: string;
    port: number | null;
    health: Health;
    pid: number | null;
    restarts: number;
  }[];
}

export const statusCommand: Command = {
  summary: 'what runs here, and how it is',
  help: `Usage: makima status [--json]

Shows every process with its port, health, id and restarts. Health: ready, live (answers, but not
ready), silent (alive without an answer), down. Exit code 0 when the stack runs, 3 when it does not.

      --json  {url, running, processes: [{name, port, health, pid, restarts}]}

Example: makima status --json`,
  run: async ({ home, args }) => {
    const { values } = readOptions(args, { json: { type: 'boolean' } });
    const report = await stackStatus(home);
    if (values.json) console.log(JSON.stringify(report, null, 2));
    else print(report);
    return report.running ? exitCodes.ok : exitCodes.notRunning;
  },
};

/** Asks every process of the stack how it is. */
export const stackStatus = async (home: Home): Promise<StatusReport> => {
  const state = runningState(home);
  if (!state) return { url: null, running: false, processes: [] };
  const processes = await Promise.all(
    state.processes.map(async (record) => ({
      name: record.name,
      port: record.port,
      health: await healthOf(home, record),
      pid: record.pid,
      restarts: record.restarts,
    })),
  );
  return { url: state.url, running: true, processes };
};

const healthOf = async (home: Home, record: ProcessRecord): Promise<Health> => {
  const { kind, port, pid, startTime } = record;
  if (pid === null || startTime === null || !isAlive({ pid, startTime })) return 'down';
  if (port === null) return daemonIsConnected(home) ? 'ready' : 'live';
  if (kind !== 'service') return (await storeAnswers(home, kind, port)) ? 'ready' : 'silent';
  if (await answersOk(port, '/readyz')) return 'ready';
  return (await answersOk(port, '/livez')) ? 'live' : 'silent';
};

const storeAnswers = async (
  home: Home,
  kind: ProcessRecord['kind'],
  port: number,
): Promise<boolean> => {
  const password = (name: string): string => readFileSync(join(home.secrets, name), 'utf8').trim();
  try {
    if (kind === 'redis') {
      return await pingRedis(`redis://:${password('redis.password')}@127.0.0.1:${port}`);
    }
    const login = `makima:${password('postgres.password')}`;
    await postgresReady(`postgres://${login}@127.0.0.1:${port}/postgres`, { timeoutMs: 1000 });
    return true;
  } catch {
    return false;
  }
};

const print = ({ url, running, processes }: StatusReport): void => {
  if (!running) return say('not running: start it with ./makima up');
  const rows = processes.map(({ name, port, health, pid, restarts }) => [
    name,
    String(port ?? '-'),
    health,
    String(pid ?? '-'),
    String(restarts),
  ]);
  const table = [['PROCESS', 'PORT', 'HEALTH', 'PID', 'RESTARTS'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  }
  console.log(`\n${url}`);
};
