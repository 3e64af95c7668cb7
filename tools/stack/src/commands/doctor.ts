// `makima doctor`: is this machine fit, and what to do where it is not.
// Why: a missing prerequisite is one line with its fix, before it is a stack trace.
// Law: changes nothing; exit code 1 only when something fails.
import { wrap } from '@makima/cli/wrap';
import { checkAgents } from '../doctor/agents.ts';
import type { CheckResult, CheckStatus } from '../doctor/check.ts';
import {
  checkClock,
  checkDisk,
  checkFolders,
  checkGit,
  checkNode,
  checkUser,
} from '../doctor/machine.ts';
import { checkRows } from '../doctor/rows.ts';
import { checkIsolation, checkPorts, checkPostgres, checkRedis } from '../doctor/stores.ts';
import { checkTypes } from '../doctor/types.ts';
import { withStoreUrls } from '../store-secrets.ts';
import { exitCodes, readOptions, type Command } from './command.ts';

const checks = [
  checkNode,
  checkGit,
  checkDisk,
  checkFolders,
  checkUser,
  checkPostgres,
  checkRedis,
  checkPorts,
  checkClock,
  checkAgents,
  checkRows,
  checkTypes,
  checkIsolation,
];

const glyphs: Record<CheckStatus, string> = { pass: 'ok  ', warn: 'warn', fail: 'FAIL' };

export const doctorCommand: Command = {
  summary: 'is this machine fit, and what to do where it is not',
  help: `Usage: makima doctor [--json]

Looks at Node, git, disk, folders, Postgres, Redis, ports, clock, the agents with who is signed in,
contract types from files, and whether the stored rows of the stack that runs add up.
Exit code 1 when something fails; a warning is not a failure.

      --json  {ok, checks: [{name, status, detail, fix?}]}

Example: makima doctor`,
  run: async (context) => {
    const { values } = readOptions(context.args, { json: { type: 'boolean' } });
    const env = withStoreUrls(context.env);
    const results: CheckResult[] = (
      await Promise.all(checks.map((check) => check({ ...context, env })))
    ).flat();
    const ok = results.every(({ status }) => status !== 'fail');
    if (values.json) console.log(JSON.stringify({ ok, checks: results }, null, 2));
    else print(results);
    return ok ? exitCodes.ok : exitCodes.failed;
  },
};

const print = (results: readonly CheckResult[]): void => {
  const width = Math.max(...results.map(({ name }) => name.length));
  const columns = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  const say = (lead: string, text: string): void =>
    console.log(wrap(`${lead}  ${text}`, columns, lead.length + 2));
  for (const { name, status, detail, fix } of results) {
    say(`${glyphs[status]}  ${name.padEnd(width)}`, detail);
    if (fix !== undefined) say(`      ${' '.repeat(width)}`, `fix: ${fix}`);
  }
};
