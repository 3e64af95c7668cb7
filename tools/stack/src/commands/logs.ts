// `makima logs`: what the processes wrote, the end of it or as it comes.
// Why: one place for all of them, each line with the name of its process.
// Law: reads only; works while the stack runs and after it stopped.
import { join } from 'node:path';
import { followFile } from '../follow-file.ts';
import { lastLines, logNames } from '../log-file.ts';
import { readableLine } from '../readable-line.ts';
import { suggest } from '../suggest.ts';
import { exitCodes, readOptions, say, UsageError, type Command } from './command.ts';

export const logsCommand: Command = {
  summary: 'what the processes wrote',
  help: `Usage: makima logs [name] [-f] [-n N]

Prints the last lines of one log, or of all of them with the name in front.

On a terminal the services' lines are made readable; elsewhere, and with --raw, they are as written.

  -f, --follow   go on with what is written from now on
  -n, --lines N  how many lines of each, 40 if not given
      --raw      every line as it was written

Example: makima logs api -f`,
  run: async ({ home, args }) => {
    const options = {
      follow: { type: 'boolean', short: 'f' },
      lines: { type: 'string', short: 'n', default: '40' },
      raw: { type: 'boolean' },
    } as const;
    const { values, positionals } = readOptions(args, options, 'words');
    const read = process.stdout.isTTY && !values.raw ? readableLine : (line: string) => line;
    const count = Number(values.lines);
    if (!Number.isInteger(count) || count < 0) throw new UsageError(`-n takes a number of lines`);
    const names = chooseNames(logNames(home.logs), positionals);
    if (names.length === 0) say('no logs yet: start it with ./makima up');
    for (const name of names) {
      for (const line of count === 0 ? [] : lastLines(join(home.logs, `${name}.log`), count)) {
        console.log(prefix(name, names) + read(line));
      }
    }
    return values.follow ? follow(home.logs, names, read) : exitCodes.ok;
  },
};

const chooseNames = (known: readonly string[], wanted: readonly string[]): readonly string[] => {
  if (wanted.length === 0) return known;
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    const hint = near ? `did you mean ${near}?` : `there are ${known.join(', ') || 'none yet'}`;
    throw new UsageError(`no log of ${name}: ${hint}`);
  }
  return wanted;
};

const prefix = (name: string, names: readonly string[]): string => {
  if (names.length < 2) return '';
  return `${name.padEnd(Math.max(...names.map(({ length }) => length)))} | `;
};

const follow = async (
  dir: string,
  names: readonly string[],
  read: (line: string) => string,
): Promise<number> => {
  const followings = names.map((name) => {
    let rest = '';
    return followFile(join(dir, `${name}.log`), 'end', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) console.log(prefix(name, names) + read(line));
    });
  });
  await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  for (const one of followings) one.stop();
  return exitCodes.interrupted;
};
