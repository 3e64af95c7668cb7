// `makima demo`: the whole of makima in one command, told as it happens.
// Why: somebody who has never seen makima sees in a minute what it does, and that it survives a kill.
// Law: the last line of standard output with --json is one object; everything else goes to standard error;
// the exit code tells the outcome; what the demo started, it ends.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createClient } from '@makima/client/client';
import { exitCodes } from '@makima/stack/commands/command';
import { screenOf } from './screen.ts';
import { demoFolder, openHouse, type House } from './house.ts';
import { readDemoOptions, usage, type DemoOptions } from './options.ts';
import { play } from './play.ts';
import { git, makeRepository } from './repository.ts';
import { mendingScript, noteScript } from './script.ts';

const goal =
  'The tests of this repository fail. Make them pass: mend slug, words and initials, each in a task of its own.';

async function main(): Promise<number> {
  let options: DemoOptions;
  try {
    options = readDemoOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(
      `makima demo: ${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`,
    );
    return exitCodes.usage;
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return exitCodes.ok;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stop.abort());
  const screen = screenOf(process.stderr);
  const house = await openHouse(process.env, screen.say);
  try {
    return await run(options, house, screen, stop.signal);
  } finally {
    await house.stop();
  }
}

async function run(
  options: DemoOptions,
  house: House,
  screen: ReturnType<typeof screenOf>,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now();
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  await agentReady(client, options.agent, signal);
  const repo = options.repo === undefined ? newRepository(house) : ownRepository(options.repo);
  screen.say(`repository: ${repo}`);
  const scripted = options.agent === 'scripted';
  const contract = await client.call('createContract', {
    body: {
      name: 'demo',
      description:
        options.repo === undefined ? goal : 'Write three short notes about this repository.',
      contractType: 'specification',
      repositories: [{ localPath: repo }],
      phaseGuard: ['plan'],
      autoCompleteEnabled: false,
      agent: options.agent,
      supervisorPlan: scripted
        ? options.repo === undefined
          ? mendingScript()
          : noteScript()
        : null,
    },
  });
  screen.say(`contract ${contract.slug}: ${house.url}/api/v1/contracts/${contract.id}\n`);
  const played = await play({
    client,
    contract,
    yes: options.yes,
    tell: screen.tell,
    say: screen.say,
    signal,
  });
  const branch = `makima/${contract.slug}`;
  const delivered = played.status === 'completed';
  const tasks = (
    await client.call('listContractTasks', { params: { id: contract.id } })
  ).items.filter((task) => !task.isSupervisor);
  const commits = delivered ? Number(git(repo, ['rev-list', '--count', branch, '--'])) : 0;
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  if (delivered) {
    screen.say(
      `\n${git(repo, ['log', '--graph', '--oneline', '--decorate', '-n', '20', branch, '--'])}\n`,
    );
    screen.say(
      `completed in ${seconds} s: ${tasks.length} tasks, ${played.questions} answers of yours, ${played.restorations} restoration(s)`,
    );
    screen.say(`the work is on branch ${branch} of ${repo}`);
  } else screen.say(`\nthe contract ended as ${played.status}; why: ./makima why ${contract.slug}`);
  if (options.json) {
    const line = {
      contract: contract.id,
      status: played.status,
      tasks: tasks.length,
      questions: played.questions,
      restorations: played.restorations,
      seconds,
      commits,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  await farewell(options, house, screen, signal);
  if (signal.aborted && !delivered) return exitCodes.interrupted;
  return delivered ? exitCodes.ok : endedBadly;
}

const endedBadly = 5;

/** Leaves what the demo started running for a person who watches; scripts get their machine back. */
async function farewell(
  options: DemoOptions,
  house: House,
  screen: ReturnType<typeof screenOf>,
  signal: AbortSignal,
): Promise<void> {
  const next = [
    './makima contracts list',
    './makima run "<your goal>" --repo <path>',
    './makima inbox',
    './makima --help',
  ];
  const stays = house.own && !options.yes && process.stdin.isTTY === true && !signal.aborted;
  screen.say(
    `\n${house.own && !stays ? 'start it again with ./makima up --detach; it was at' : 'makima is at'} ${house.url} (API reference: ${house.url}/reference)`,
  );
  screen.say(`try next:\n${next.map((line) => `  ${line}`).join('\n')}`);
  if (!stays) return;
  screen.say('\nmakima goes on here until Ctrl-C.');
  await new Promise<void>((resolved) =>
    signal.addEventListener('abort', () => resolved(), { once: true }),
  );
}

/** The local daemon must be there and have the agent. */
async function agentReady(
  client: ReturnType<typeof createClient>,
  agent: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { items } = await client.call('listDaemons', {});
    const connected = items.filter((daemon) => daemon.status === 'connected');
    const found = connected.flatMap((daemon) => daemon.agents).find((one) => one.kind === agent);
    if (found?.available === true && found.signedIn !== false) return;
    if (connected.length > 0 && found !== undefined) {
      throw new Error(
        `${agent} cannot be used on this machine: ${found.note ?? (found.available ? 'it is not signed in' : 'it was not found')}. Install it and sign in, or leave out --agent.`,
      );
    }
    if (performance.now() > deadline || signal.aborted)
      throw new Error('no daemon connected; see ./makima logs daemon');
    await new Promise((resolved) => setTimeout(resolved, 100));
  }
}

function newRepository(house: House): string {
  const dir = demoFolder(house.home, randomBytes(4).toString('hex'));
  makeRepository(dir);
  return dir;
}

function ownRepository(path: string): string {
  const dir = resolve(process.env['MAKIMA_CWD'] ?? process.cwd(), path);
  if (!existsSync(dir)) throw new Error(`there is no folder ${dir}`);
  git(dir, ['rev-parse', '--verify', 'HEAD^{commit}']);
  return dir;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`makima demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.failed;
}
