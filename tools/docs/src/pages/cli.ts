/** `cli.md`: the help of every command, as the programs print it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { WriteStream } from 'node:tty';
import { promisify } from 'node:util';
import { catalog, groups } from '@makima/cli/catalog/all';
import { exitMeanings } from '@makima/cli/exit-code';
import { run as runCli } from '@makima/cli/run';
import { readSource, root } from '../checkout.ts';
import { block, page, table } from '../markdown.ts';

const run = promisify(execFile);

export async function cliPage(): Promise<string> {
  const words = catalog.map(({ path }) => path);
  const [top, commands, local] = await Promise.all([
    cliHelp([]),
    inTurn(words.toSorted(inCatalogOrder), (path) => cliHelp(path.split(' '))),
    inTurn(localPrograms(), ({ word, program, args }) =>
      help(program, args).then((text) => ({ word, text })),
    ),
  ]);
  return page(
    'Command line',
    ['apps/cli/src/catalog/', 'tools/stack/src/commands/', 'makima'],
    [
      'In a checkout every command begins with `./makima`.',
      block(top),
      '## Exit codes',
      table(['code', 'means'], exitMeanings),
      '## Commands',
      ...words
        .toSorted(inCatalogOrder)
        .map((path, index) => `### ${path}\n\n${block(commands[index] ?? '')}`),
      '## On this machine',
      'Of the checkout itself: they start, show and stop what runs here.',
      ...local.map(({ word, text }) => `### ${word}\n\n${block(text)}`),
    ],
  );
}

/** Single words first, then group by group, each as the catalog has it. */
function inCatalogOrder(a: string, b: string): number {
  return rank(a) - rank(b);
}

function rank(path: string): number {
  const group = groups.findIndex(({ name }) => path.startsWith(`${name} `));
  return (group + 1) * catalog.length + catalog.findIndex((spec) => spec.path === path);
}

/** The words that `./makima` keeps for itself, and the program of each, as its script has them. */
function localPrograms(): { word: string; program: string; args: string[] }[] {
  const lines = readSource('makima').matchAll(/^ {2}([a-z |]+)\) program=(\S+)( && shift)? ;;$/gm);
  return [...lines].flatMap(([, words = '', program = '', shift]) =>
    words.split('|').map((text) => {
      const word = text.trim();
      return { word, program, args: shift === undefined ? [word] : [] };
    }),
  );
}

/** Two at a time would be faster and is not worth a machine that stands still meanwhile. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

const environment = { PATH: process.env.PATH ?? '', HOME: '/', LANG: 'C.UTF-8', NO_COLOR: '1' };

/** Of the command line itself: its one function, without a process for each of a hundred commands. */
async function cliHelp(words: readonly string[]): Promise<string> {
  const stream = () => Object.assign(new PassThrough(), { isTTY: false }) as unknown as WriteStream;
  const [stdout, stderr] = [stream(), stream()];
  const told = text(stdout);
  const argv = [...words, '--help'];
  const { stdin } = process;
  const code = await runCli({
    argv,
    env: environment,
    cwd: root,
    checkout: root,
    stdin,
    stdout,
    stderr,
  });
  stdout.end();
  if (code !== 0) throw new Error(`the help of ${words.join(' ')} ends with ${code}`);
  return told;
}

async function help(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, program), ...args, '--help'], {
    cwd: root,
    env: environment,
  });
  return stdout;
}
