// `makima chaos`: a run of faults with a seed, and its verdict.
import { readChaosOptions, usage, type ChaosOptions } from './options.ts';
import { runChaos } from './run.ts';

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
console.error(`seed ${options.seed}: ${options.seconds} s of ${options.faults.join(', ')}`);
const result = await runChaos({ ...options, say: (line) => console.error(line) });
const bad = [...result.lost, ...result.doubled, ...result.broken];
for (const line of bad) console.error(`! ${line}`);
console.error(
  `${result.contracts.completed} of ${result.contracts.started} contracts completed, ${result.restorations} restorations, faults ${JSON.stringify(result.faults)}, seed ${result.seed}`,
);
if (options.json) {
  const { lost, doubled, broken, ...rest } = result;
  console.log(
    JSON.stringify({ ...rest, lost: lost.length, doubled: doubled.length, broken: broken.length }),
  );
}
process.exitCode = bad.length === 0 ? 0 : 1;
