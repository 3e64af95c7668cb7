/**
 * One run of the program: parse, do, report; the result is the exit code.
 *
 * Law: every way out passes here, so that an error always has its anatomy and its code.
 */
import type { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-code.ts';
import type { Io } from './io.ts';
import { nearestCommand, suggestionsIn } from './nearest-command.ts';
import { printError, usageError } from './print-error.ts';
import { catalog } from './catalog/all.ts';
import { buildProgram, commandWords, localWords } from './program.ts';
import { Cancelled, Interrupted } from './shell.ts';

export async function run(given: Io): Promise<number> {
  const io = { ...given, commands: commandWords };
  endQuietlyWhenNobodyReads(io);
  const result = { exitCode: exitCodes.ok as number };
  const program = buildProgram(io, result);
  try {
    const words = io.argv.length === 0 ? ['--help'] : [...io.argv];
    await program.parseAsync(words, { from: 'user' });
    return result.exitCode;
  } catch (error) {
    if (error instanceof Cancelled) {
      io.stderr.write('nothing was changed\n');
      return exitCodes.cancelled;
    }
    if (error instanceof Interrupted) return exitCodes.interrupted;
    if (isCommanderError(error)) return await endOfParsing(io, program, error);
    return await printError(io, error);
  }
}

function isCommanderError(error: unknown): error is CommanderError {
  return (
    error instanceof Error && String((error as { code?: unknown }).code).startsWith('commander.')
  );
}

/** Help and version end well; everything else that the parser throws is a wrong command line. */
async function endOfParsing(io: Io, program: Command, error: CommanderError): Promise<number> {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') {
    return exitCodes.ok;
  }
  if (error.code === 'commander.help') return exitCodes.usage;
  const [first = ''] = error.message.replace(/^error: /, '').split('\n');
  const near = suggestionsIn(error.message);
  const fix =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : instead(io.argv, program, first);
  return printError(io, usageError(first, fix));
}

/** A command in another place, else the help of what was understood. */
function instead(argv: readonly string[], program: Command, message: string): string {
  const word = /^unknown command '(.*)'$/.exec(message)?.[1];
  const known = word === undefined || localWords.some((local) => local === word);
  return (known ? undefined : nearestCommand(program, { word, argv })) ?? helpFor(argv);
}

/** The help of the command that was meant, as far as it was understood. */
function helpFor(argv: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith('-'));
  if (localWords.some((word) => word === words[0])) return `./makima ${words[0]}   in a checkout`;
  const known = [2, 1]
    .map((count) => words.slice(0, count).join(' '))
    .find((path) => catalog.some((spec) => spec.path === path || spec.path.startsWith(`${path} `)));
  return known === undefined ? 'makima --help' : `makima ${known} --help`;
}

/** `makima events | head`: the reader is gone, so there is nothing left to do. */
function endQuietlyWhenNobodyReads(io: Io): void {
  for (const stream of [io.stdout, io.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.ok);
      throw error;
    });
  }
}
