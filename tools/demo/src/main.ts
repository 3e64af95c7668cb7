// `makima demo`: the whole of makima in one command, told as it happens.
// Why: somebody who has never seen makima sees in a minute what it does, and that it survives a kill.
// Law: the last line of standard output with --json is one object; everything else goes to standard error;
// the exit code tells the outcome; what the demo started, it ends, also when it is interrupted.
import { wrap } from '@makima/cli/wrap';
import { isMakimaError } from '@makima/domain/error';
import { exitCodes } from '@makima/stack/commands/command';
import { openHouse, type House } from './house.ts';
import { readDemoOptions, usage, type DemoOptions } from './options.ts';
import { perform, type Outcome } from './perform.ts';
import { screenOf, type Screen } from './screen.ts';

const endedBadly = 5;
const complain = (text: string): void => {
  const columns = process.stderr.isTTY ? process.stderr.columns : Number.POSITIVE_INFINITY;
  process.stderr.write(`${wrap(`makima demo: ${text}`, columns, 2)}\n`);
};
const wordsOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return isMakimaError(error) && error.fix !== undefined ? `${message}: ${error.fix}` : message;
};

async function main(): Promise<number> {
  let options: DemoOptions;
  try {
    options = readDemoOptions(process.argv.slice(2));
  } catch (error) {
    complain(`${wordsOf(error)} (what there is: ./makima demo --help)`);
    return exitCodes.usage;
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return exitCodes.ok;
  }
  if (!options.yes && !process.stdin.isTTY) {
    complain('nobody is here to answer its questions: add --yes');
    return exitCodes.usage;
  }
  const stop = new AbortController();
  const interrupt = (): void => {
    // Whoever asks twice does not want to wait for an orderly end.
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort();
    complain('stopping (Ctrl-C again: at once)');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  endWithTerminal(() => {
    if (!stop.signal.aborted) interrupt();
  });
  const screen = screenOf(process.stderr, process.env);
  try {
    return await inHouse(options, screen, { signal: stop.signal, interrupt });
  } catch (error) {
    if (stop.signal.aborted) return exitCodes.interrupted;
    throw error;
  }
}

/** The terminal is closed, and with it whoever could ask twice: an orderly end, told to nobody. */
function endWithTerminal(end: () => void): void {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdin, stdout, stderr]) stream.on('error', end);
  process.on('SIGHUP', end);
  // A prompt finds it out where nobody can catch it.
  process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EIO') return end();
    complain(error.stack ?? error.message);
    process.exit(exitCodes.failed);
  });
}

interface Control {
  readonly signal: AbortSignal;
  readonly interrupt: () => void;
}

async function inHouse(options: DemoOptions, screen: Screen, control: Control): Promise<number> {
  const { signal } = control;
  screen.say(prologue(options));
  const house = await openHouse({ env: process.env, screen, signal });
  try {
    const outcome = await perform({ options, house, screen, cwd: process.cwd(), ...control });
    if (options.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
    if (!signal.aborted) await farewell(options, house, screen, { signal, outcome });
    if (outcome.status === 'completed') return exitCodes.ok;
    return outcome.status === 'interrupted' ? exitCodes.interrupted : endedBadly;
  } finally {
    await house.stop();
  }
}

function prologue({ repo, agent, yes }: DemoOptions): string {
  const work =
    repo === undefined ? 'mend a small repository whose tests fail' : 'write notes on a repository';
  const questions = yes ? 'Questions are answered by --yes' : 'You are asked three questions';
  const who =
    agent === 'scripted'
      ? 'The agents follow scripts (no model, no account); everything else is the real thing.'
      : `The agents are your own ${agent}: this takes minutes and uses your account.`;
  return `One supervisor and three agents ${work}. ${questions}; on the way the supervisor is killed, once and for real, and must come back. ${who}\n`;
}

/** Leaves what the demo started running for a person who watches; scripts get their machine back. */
async function farewell(
  options: DemoOptions,
  house: House,
  screen: Screen,
  { signal, outcome }: { signal: AbortSignal; outcome: Outcome },
): Promise<void> {
  const stays = house.own && !options.yes && process.stdin.isTTY && outcome.status === 'completed';
  const runs = stays || (!house.own && house.stands());
  screen.fact(
    'url',
    `${house.url} (${runs ? 'the API is described at /reference' : 'stopped now'})`,
  );
  screen.say('\nTry next:');
  if (!runs) tip(screen, './makima up --detach', 'start makima again, in the background');
  tip(screen, './makima contracts list', 'what there is');
  tip(screen, './makima inbox', 'what waits for you');
  tip(screen, './makima run "<goal>" --repo <path>', 'real work, by your own Claude Code');
  tip(screen, './makima --help', 'everything else');
  if (!stays) return;
  screen.say('\nmakima goes on here until Ctrl-C. Try the commands in another terminal.');
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

const tip = (screen: Screen, command: string, what: string): void =>
  screen.say(`  ${command.padEnd(38)}${what}`);

try {
  process.exitCode = await main();
} catch (error) {
  complain(wordsOf(error));
  process.exitCode = exitCodes.failed;
}
