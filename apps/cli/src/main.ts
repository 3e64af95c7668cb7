/**
 * The `makima` program.
 *
 * Law: the only file that reads the process's environment. It imports nothing but Node before the compile
 * cache is on, so that a second start costs little.
 */
import { enableCompileCache } from 'node:module';
import { resolve } from 'node:path';

const checkout = resolve(import.meta.dirname, '../../..');
enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? resolve(checkout, '.cache/v8'));

const { run } = await import('./run.ts');

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  checkout,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});
