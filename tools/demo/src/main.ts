// `makima demo`: the whole of makima in one command, told as it happens.
// Why: somebody who has never seen makima sees in a minute what it does, and that it survives a kill.
// Law: the last line of standard output with --json is one object; everything else goes to standard error;
// the exit code tells the outcome; what the demo started, it ends, also when it is interrupted.
import { exitCodes } from '@makima/stack/commands/command';
import { openHouse, type House } from './house.ts';
import { readDemoOptions, usage, type DemoOptions } from './options.ts';
import { perform, type Outcome } from './perform.ts';
import { screenOf, type Screen } from './screen.ts';

const endedBadly = 5;
const complain = (text: string): void => void process.stderr.write(`makima demo: ${text}\n`);
const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

async function main(): Promise<number> {
  let options: DemoOptions;
  try {
    options = readDemoOptions(process.argv.slice(2));
  } catch (error) {
    complain(`${wordsOf(error)}\n\n${usage}`);
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  const screen = screenOf(process.stderr, process.env);
  try {
    return await inHouse(options, screen, { signal: stop.signal, interrupt });
  } catch (error) {
    if (stop.signal.aborted) return exitCodes.interrupted;
    throw error;
  }
}

interface Control {
  readonly signal: AbortSignal;
  readonly interrupt: () => void;
}

async function inHouse(options: DemoOptions, screen: Screen, control: Control): Promise<number> {
  const { signal } = control;
  screen.say(prologue(options));
  const house = await openHouse({ env: process.env, say: (line) => screen.say(line), signal });
  try {
    const cwd = process.env['MAKIMA_CWD'] ?? process.cwd();
    const outcome = await perform({ options, house, screen, cwd, ...control });
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
    repo === undefined ? 'mend a small repository whose tests fail' : 'write three notes';
  return [
    `One supervisor and three agents ${work}. Three questions come up${yes ? '' : ' for you'};`,
    'on the way the supervisor is killed, once and for real, and must come back.',
    agent === 'scripted'
      ? 'The agents follow scripts (no model, no account); everything else is the real thing.\n'
      : `The agents are your own ${agent}: this takes minutes and uses your account.\n`,
  ].join('\n');
}

/** Leaves what the demo started running for a person who watches; scripts get their machine back. */
async function farewell(
  options: DemoOptions,
  house: House,
  screen: Screen,
  { signal, outcome }: { signal: AbortSignal; outcome: Outcome },
): Promise<void> {
  const stays = house.own && !options.yes && process.stdin.isTTY && outcome.status === 'completed';
  const runs = stays || !house.own;
  const next: (readonly [string, string])[] = [
    ...(runs ? [] : [['./makima up --detach', 'start makima again, in the background'] as const]),
    ['./makima contracts list', 'what there is'],
    ['./makima run "<your goal>" --repo <path> --watch', 'real work, by your Claude Code'],
    ['./makima inbox', 'what waits for you'],
    ['./makima --help', 'everything else'],
  ];
  screen.say(
    `url         ${house.url}${runs ? '' : ' (stopped now)'}; its API explains itself at /reference`,
  );
  const lines = next.map(([command, what]) => `  ${command.padEnd(50)} ${what}`);
  screen.say(`\nTry next:\n${lines.join('\n')}`);
  if (!stays) return;
  screen.say('\nmakima goes on here until Ctrl-C; try the commands in another terminal.');
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  complain(wordsOf(error));
  process.exitCode = exitCodes.failed;
}
