/**
 * What was meant by a word that is no command where it was typed, but one in another place of the tree.
 *
 * Law: what stands at the top may be meant anywhere, as may what a group alone has where no group was named; another
 * group's word is told beside the help of the group that was. Nothing is told that this shell may not use.
 */
import { Command } from 'commander';

export interface Mistyped {
  readonly word: string;
  /** All that was typed, the word among it. */
  readonly argv: readonly string[];
}

/** More would be a list to read, which the help is already. */
const mostCommands = 3;

/** What to do instead; undefined when nothing like it exists. */
export function nearestCommand(root: Command, { word, argv }: Mistyped): string | undefined {
  const top = visible(root);
  const before = argv.slice(0, argv.indexOf(word));
  const group = top.findLast((one) => before.some((typed) => isCalled(one, typed)));
  const [tops, inGroups] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const one of top) {
    for (const name of [one.name(), ...one.aliases()]) note(tops, name, `makima ${one.name()}`);
    for (const leaf of one === group ? [] : visible(one))
      note(inGroups, leaf.name(), `makima ${one.name()} ${leaf.name()}`);
  }
  if (group === undefined) return didYouMean(likely(word, inGroups));
  const at = didYouMean(likely(word, tops));
  if (at !== undefined) return at;
  const elsewhere = didYouMean(inGroups.get(word));
  return elsewhere && `makima ${group.name()} --help   or ${elsewhere}`;
}

function visible(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function isCalled(command: Command, word: string): boolean {
  return command.name() === word || command.aliases().includes(word);
}

function note(known: Map<string, string[]>, name: string, path: string): void {
  known.set(name, [...(known.get(name) ?? []), path]);
}

function didYouMean(paths: readonly string[] | undefined): string | undefined {
  if (paths === undefined || paths.length === 0 || paths.length > mostCommands) return undefined;
  return `did you mean ${paths.join(' or ')}?`;
}

/** The commands of this very word, or of those that the parser finds nearest to it. */
function likely(word: string, known: ReadonlyMap<string, string[]>): readonly string[] {
  const names = known.has(word) ? [word] : suggested(word, [...known.keys()]);
  return [...new Set(names.flatMap((name) => known.get(name) ?? []))];
}

/** By the measure of the parser, which tells it of a program's own words alone. */
function suggested(word: string, names: readonly string[]): readonly string[] {
  const program = new Command().exitOverride().helpCommand(false);
  program.configureOutput({ outputError: () => undefined });
  for (const name of names) program.command(name);
  try {
    program.parse([word], { from: 'user' });
  } catch (error) {
    return suggestionsIn(error instanceof Error ? error.message : '');
  }
  return [];
}

/** What the parser's message offers instead. */
export function suggestionsIn(message: string): readonly string[] {
  const offered = /\(Did you mean (?:one of )?(.*)\?\)$/.exec(message)?.[1];
  return offered === undefined ? [] : offered.split(', ');
}
