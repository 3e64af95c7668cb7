/**
 * The command line, built from the catalog.
 *
 * Law: nothing is imported for a command before it runs. Help shows an example before anything else.
 */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { MakimaError } from '@makima/domain/error';
import { asTyped } from './as-typed.ts';
import { catalog, groups } from './catalog/all.ts';
import { headings } from './catalog/headings.ts';
import type { CommandSpec, OptionSpec } from './catalog/spec.ts';
import { isAgentShell } from './connection.ts';
import { exitMeanings } from './exit-code.ts';
import { formats, jsonWhenPiped, wantsColor, type GlobalOptions, type Io } from './io.ts';
import { usageError } from './print-error.ts';
import { createShell } from './shell.ts';
import { version } from './version.ts';

/** `result.exitCode` becomes what the command that ran asked for. */
export function buildProgram(io: Io, result: { exitCode: number }): Command {
  const root = withManners(new Command('makima'), io)
    .description('Hand over work in a git repository to coding agents; be asked only what matters.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .helpCommand(false)
    .addOption(new Option('--url <url>', 'address of the server').helpGroup(globalHeading))
    .addOption(
      new Option('-o, --format <format>', 'how data is printed')
        .choices(formats)
        .helpGroup(globalHeading),
    )
    .addOption(new Option('--no-color', 'no colours').helpGroup(globalHeading))
    .addOption(new Option('--no-input', 'never ask a question').helpGroup(globalHeading))
    .addHelpText('before', examplesText(['makima run "fix the failing test" --repo . --watch']))
    .addHelpText('after', localCommands);
  for (const spec of catalog) if (!spec.path.includes(' ')) addLeaf(root, spec, io, result);
  for (const group of groups) {
    const parent = root
      .command(group.name, { hidden: isForPeople(group.name, io) })
      .summary(group.summary)
      .description(group.summary);
    if (group.alias !== undefined) parent.alias(group.alias);
    parent.helpGroup(group.heading).helpCommand(false);
    parent.addHelpText('before', examplesText([group.example]));
    for (const spec of catalog) {
      if (spec.path.startsWith(`${group.name} `)) addLeaf(parent, spec, io, result);
    }
  }
  addHelp(root, io);
  return root;
}

const globalHeading = 'Everywhere:';

/** Commands of the checkout's own `./makima`, which hands all others to this program. */
export const localWords = ['up', 'down', 'status', 'logs', 'doctor', 'demo'] as const;

/** The first words of all commands. */
export const commandWords: ReadonlySet<string> = new Set([
  ...catalog.map(({ path }) => path.split(' ')[0] ?? path),
  ...localWords,
  'help',
]);

const localCommands = `
This machine (./makima in a checkout):
  ${localWords.join(', ')}

Ids may be shortened to any unique beginning. Exit codes: makima help exit-codes`;

/** Our manners, which commander hands down to every command below. */
function withManners(root: Command, io: Io): Command {
  const colored = !io.argv.includes('--no-color');
  return root
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(asTyped(io, io.stdout, text)),
      // Wrong usage is thrown and printed in our anatomy; what else comes here is help.
      writeErr: (text) => void io.stderr.write(asTyped(io, io.stderr, text)),
      outputError: () => undefined,
      getOutHasColors: () => colored && wantsColor(io.env, io.stdout.isTTY),
      getErrHasColors: () => colored && wantsColor(io.env, io.stderr.isTTY),
      getOutHelpWidth: () => Math.min(io.stdout.columns || 80, 100),
      getErrHelpWidth: () => Math.min(io.stderr.columns || 80, 100),
    })
    .configureHelp({
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
      styleTitle: (text) => `\u001b[1m${text}\u001b[22m`,
    });
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function examplesText(examples: readonly string[]): string {
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return `${title}\n${examples.map((example) => `  $ ${example}\n`).join('')}`;
}

function addLeaf(parent: Command, spec: CommandSpec, io: Io, result: { exitCode: number }): void {
  const hidden = isForPeople(spec.path, io);
  const isDefault = groups.some(({ name, bare }) => `${name} ${bare}` === spec.path);
  const leaf = parent.command(spec.path.split(' ').at(-1) ?? spec.path, { hidden, isDefault });
  leaf
    .summary(spec.summary)
    .description([`${spec.summary}.`, ...(spec.text?.split('\n') ?? [])].join(' '))
    .addHelpText('before', examplesText(spec.examples))
    .addHelpText('after', '\nOptions of every command: makima --help');
  if (spec.heading !== undefined) leaf.helpGroup(spec.heading);
  for (const [flags, text] of spec.args ?? []) leaf.addArgument(new Argument(flags, text));
  for (const option of spec.options ?? []) leaf.addOption(optionOf(option));
  if (spec.passThrough === true) leaf.allowUnknownOption();
  leaf.action(async () => {
    if (hidden) throw notForAgents(spec.path);
    refuseBlanks(leaf, spec.path);
    const rawArgs = io.argv.slice(io.argv.indexOf(leaf.name()) + 1);
    const options = leaf.optsWithGlobals<GlobalOptions>();
    const piped = jsonWhenPiped.includes(parent.name()) ? 'json' : undefined;
    const shell = createShell(io, { options, rawArgs, piped });
    const command = await spec.load();
    result.exitCode =
      (await command.run(shell, leaf.processedArgs as never, leaf.opts() as never)) ?? 0;
  });
}

/** An empty word, as an unset variable of a script leaves it, names nothing: it may never mean whatever is there. */
function refuseBlanks(leaf: Command, path: string): void {
  leaf.registeredArguments.forEach((argument, at) => {
    const given: unknown = leaf.processedArgs[at];
    const words: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (!words.some((word) => typeof word === 'string' && word.trim() === '')) return;
    throw usageError(`<${argument.name()}> is empty`, `makima ${path} --help`);
  });
}

/** Agents lead by the verbs of a supervisor; everything else is a person's. */
function isForPeople(path: string, io: Io): boolean {
  return isAgentShell(io.env) && path.split(' ')[0] !== 'supervisor';
}

function notForAgents(path: string): MakimaError {
  return new MakimaError(
    'FORBIDDEN',
    `'makima ${path}' is for people: this is the shell of an agent`,
    {
      fix: 'makima supervisor --help   has what an agent may do',
    },
  );
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.text);
  if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.default !== undefined) option.default(spec.default);
  const { choices, parse, repeatable } = spec;
  if (parse !== undefined || repeatable === true) {
    option.argParser((value: string, before: unknown) => {
      const read = readValue(value, choices, parse);
      return repeatable === true ? [...((before as unknown[] | undefined) ?? []), read] : read;
    });
  }
  return option;
}

function readValue(
  value: string,
  choices: readonly string[] | undefined,
  parse: OptionSpec['parse'],
): unknown {
  if (choices !== undefined && !choices.includes(value)) {
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  }
  try {
    return parse === undefined ? value : parse(value);
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** `makima help`, `makima help contracts list`, `makima help exit-codes`. */
function addHelp(root: Command, io: Io): void {
  root
    .command('help [words...]')
    .summary('Help on a command, or on exit-codes')
    .description('Help on a command, or on exit-codes.')
    .helpGroup(headings.help)
    .addHelpText('before', examplesText(['makima help exit-codes']))
    .action((words: string[]) => {
      if (words[0] === 'exit-codes') {
        for (const [code, meaning] of exitMeanings) {
          io.stdout.write(`${String(code).padStart(5)}  ${meaning}\n`);
        }
        return;
      }
      let at = root;
      for (const word of words) {
        const next = at.commands.find((c) => c.name() === word || c.aliases().includes(word));
        if (!next) throw usageError(`there is no help on '${words.join(' ')}'`, 'makima help');
        at = next;
      }
      at.outputHelp();
    });
}
