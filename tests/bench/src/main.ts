// `makima bench`: figures of this machine, with the bare floor beside them in the same run.
import { parseArgs } from 'node:util';
import { benchSpawn } from './spawn.ts';

const usage = `Usage: makima bench [--spawns N] [--callers N] [--json]

Measures spawn request to command at the daemon, completion to waiter, and spawns a second, on a
stack of its own with the bare floor pipeline beside it.`;

const { values } = parseArgs({
  options: {
    spawns: { type: 'string', default: '3000' },
    callers: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const figures = await benchSpawn({
  sustainedSpawns: Number(values.spawns),
  callers: Number(values.callers),
  say: (line) => console.error(line),
});
if (values.json) console.log(JSON.stringify(figures));
else
  console.table({
    'floor: spawn ms': figures.floorSpawnMs,
    'spawn ms': figures.spawnMs,
    'completion to waiter ms': figures.completionMs,
  });
console.error(
  `spawn p50 is ${figures.spawnToFloorP50} x the floor; ${figures.sustained.perSecond} spawns/s sustained by ${figures.sustained.callers} callers`,
);
const gates = [
  figures.spawnMs.p50 <= 15,
  figures.spawnMs.p99 <= 60,
  figures.completionMs.p50 <= 20,
  figures.sustained.perSecond >= 300,
];
process.exitCode = gates.every(Boolean) ? 0 : 1;
