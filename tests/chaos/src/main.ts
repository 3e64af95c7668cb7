// `makima chaos`: runs of faults with a seed, and their verdict.
import { findings } from './check/verdict.ts';
import { possible } from './faults/catalogue.ts';
import { placesPerMachine } from './load/shape.ts';
import { readChaosOptions, usage, type ChaosOptions } from './options.ts';
import { rows } from './rows/catalogue.ts';
import { rowMix } from './rows/run-row.ts';
import { agentsPerContract } from './scenario.ts';
import { runMix, type MixOptions, type MixResult } from './run.ts';
import { record } from './record.ts';
import { summaryOf } from './summary.ts';

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(usage);
  process.exit(0);
}
let options: ChaosOptions;
try {
  options = readChaosOptions(process.argv.slice(2));
} catch (error) {
  console.error(
    `makima chaos: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`,
  );
  process.exit(2);
}
const say = (line: string): void => console.error(line);

/** The mix of the kinds that were asked for. */
function wholeMix({ seed, seconds, contracts, daemons, keepLogsIn }: ChaosOptions): MixOptions {
  const kinds = possible(options.faults, { daemons, seconds });
  const left = options.faults.filter((name) => kinds[name] === undefined);
  if (left.length > 0) say(`left out of so small a run: ${left.join(', ')}`);
  const places = placesPerMachine(contracts, daemons, agentsPerContract);
  const house = { machines: daemons, env: { MAKIMA_MAX_TASKS: String(places) } };
  return { seed, seconds, faults: kinds, contracts, house, say, keepLogsIn };
}

async function tell(name: string, mix: MixOptions): Promise<MixResult> {
  say(`${name}, seed ${mix.seed}: ${mix.seconds} s of ${Object.keys(mix.faults).join(', ')}`);
  const result = await runMix(mix);
  for (const line of findings(result)) say(`! ${line}`);
  const { contracts, restorations, bites, recoveryMs } = result;
  say(
    `${name}: ${contracts.completed} of ${contracts.started} contracts completed, ${restorations} restorations, faults ${JSON.stringify(bites.struck)}, recovery ${JSON.stringify(recoveryMs)}`,
  );
  return result;
}

const results = new Map<string, MixResult>();
for (const name of options.rows) {
  const row = rows[name];
  if (row !== undefined) results.set(name, await tell(name, rowMix(row, options, say)));
}
if (options.faults.length > 0) results.set('mix', await tell('mix', wholeMix(options)));
const summary = summaryOf(options, [...results.values()]);
if (options.record) record(options, results);
if (options.json) console.log(JSON.stringify(summary));
process.exitCode = summary.lost + summary.doubled + summary.broken === 0 ? 0 : 1;
