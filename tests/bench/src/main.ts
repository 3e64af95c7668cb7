// `makima bench [spawn|dashboard|monitor|restore]`: figures of this machine.
import { parseArgs } from 'node:util';
import { benchDashboard } from './dashboard.ts';
import { benchMonitor } from './monitor.ts';
import { benchRestore } from './restore.ts';
import { benchSpawn } from './spawn.ts';

const usage = `Usage: makima bench [spawn] [--spawns N] [--callers N] [--json]
       makima bench dashboard [--scale N] [--reads N] [--json]
       makima bench monitor [--sockets N] [--rate N] [--seconds N] [--json]
       makima bench restore [--supervisors N] [--json]

spawn (the default) measures spawn request to command at the daemon, completion to waiter, and spawns a
second, on a stack of its own with the bare floor pipeline beside it.

dashboard measures the dashboard and a page of contracts of one owner with a long history: --scale 1 is
100,000 contracts, 1,000,000 tasks and 10,000,000 events; the default is a hundredth.

monitor measures heartbeats of as many supervisors as there are --sockets, --rate a second in all, at
monitors that each watch one contract; checks that every event comes once and in order, and that every
heartbeat that was kept is told, alone or with a later one.

restore measures --supervisors lost at once with their machine: from the end of their leases until another
machine has the command to start each; the bound is 15 s for a thousand.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    spawns: { type: 'string', default: '3000' },
    callers: { type: 'string', default: '32' },
    scale: { type: 'string', default: '0.01' },
    reads: { type: 'string', default: '300' },
    sockets: { type: 'string', default: '100' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    supervisors: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const say = (line: string): void => console.error(line);
const benches: Record<string, () => Promise<readonly boolean[]>> = {
  spawn: spawnBench,
  dashboard: dashboardBench,
  monitor: monitorBench,
  restore: restoreBench,
};
const bench = benches[positionals[0] ?? 'spawn'];
if (values.help || bench === undefined || positionals.length > 1) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
process.exitCode = (await bench()).every(Boolean) ? 0 : 1;

async function spawnBench(): Promise<readonly boolean[]> {
  const figures = await benchSpawn({
    sustainedSpawns: Number(values.spawns),
    callers: Number(values.callers),
    say,
  });
  if (values.json) console.log(JSON.stringify(figures));
  else
    console.table({
      'floor: spawn ms': figures.floorSpawnMs,
      'spawn ms': figures.spawnMs,
      'completion to waiter ms': figures.completionMs,
    });
  say(
    `spawn p50 is ${figures.spawnToFloorP50} x the floor; ${figures.sustained.perSecond} spawns/s sustained by ${figures.sustained.callers} callers`,
  );
  return [
    figures.spawnMs.p50 <= 15,
    figures.spawnMs.p99 <= 60,
    figures.completionMs.p50 <= 20,
    figures.sustained.perSecond >= 300,
  ];
}

async function dashboardBench(): Promise<readonly boolean[]> {
  const figures = await benchDashboard({
    scale: Number(values.scale),
    reads: Number(values.reads),
    say,
  });
  if (values.json) console.log(JSON.stringify(figures));
  else
    console.table({
      'floor: a request ms': figures.floorMs,
      'dashboard ms': figures.dashboardMs,
      'page of contracts ms': figures.listMs,
    });
  say(`${figures.contracts} contracts, ${figures.tasks} tasks, ${figures.events} events`);
  return [figures.dashboardMs.p99 <= 20];
}

async function monitorBench(): Promise<readonly boolean[]> {
  const figures = await benchMonitor({
    sockets: Number(values.sockets),
    ratePerSecond: Number(values.rate),
    seconds: Number(values.seconds),
    say,
  });
  const lost = figures.kept - figures.heartbeats - figures.gathered;
  if (values.json) console.log(JSON.stringify(figures));
  else
    console.table({ 'heartbeat to monitor ms': figures.heartbeatMs, 'event ms': figures.eventMs });
  say(
    `${figures.sockets} monitors; ${figures.beaten} heartbeats sent, ${figures.superseded} superseded, ${figures.held} held up, ${figures.kept} kept: ${figures.heartbeats} told (${figures.perSecond} a second) and ${figures.gathered} with a later one, ${lost} lost; ${figures.events} events, ${figures.wrong} missing, doubled or out of order`,
  );
  return [figures.wrong === 0, lost === 0, figures.heartbeats >= figures.beaten * 0.99];
}

async function restoreBench(): Promise<readonly boolean[]> {
  const figures = await benchRestore({ supervisors: Number(values.supervisors), say });
  if (values.json) console.log(JSON.stringify(figures));
  else console.table({ 'lease over to command ms': figures.commandedMs });
  say(
    `${figures.supervisors} supervisors lost at once: all commanded after ${figures.seconds} s; ${figures.wrong} restored or told otherwise than once`,
  );
  return [figures.wrong === 0, figures.seconds <= 15];
}
