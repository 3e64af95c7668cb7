/**
 * `node tools/docs/src/main.ts [--check]`: writes the reference from the code, or tells how it differs.
 *
 * Law: exit code 0 when the files are as the code says, 1 when `--check` found a difference, 2 for a wrong word.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './checkout.ts';
import { mendCommand } from './markdown.ts';
import { differences, generate } from './reference.ts';

const usage = `Usage: ${mendCommand} [--check]

Writes docs/reference and .env.example from the code. With --check it changes nothing and
exits with 1 when something differs.`;

async function main(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    console.log(usage);
    return 0;
  }
  if (args.some((arg) => arg !== '--check')) {
    console.error(usage);
    return 2;
  }
  const files = await generate();
  if (args.includes('--check')) {
    const found = differences(files);
    for (const line of found) console.error(line);
    if (found.length > 0) console.error(`\nto mend it: ${mendCommand}`);
    return found.length === 0 ? 0 : 1;
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
