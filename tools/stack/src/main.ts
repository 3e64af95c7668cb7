// The commands of the local stack, as `./makima <command>` starts them.
// Why: everything that runs on this machine is started, seen and stopped through one door.
// Law: the only file here that turns a command line into a call, and an error into an exit code.
import { exitCodes, say, UsageError, type Command } from './commands/command.ts';
import { homeFrom } from './home.ts';
import { BadSettingsError } from './bad-settings.ts';
import { suggest } from './suggest.ts';

/** Loaded on demand: `status` needs none of what `up` needs. */
const commands: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./commands/up.ts')).upCommand,
  down: async () => (await import('./commands/down.ts')).downCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  logs: async () => (await import('./commands/logs.ts')).logsCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  test: async () => (await import('./commands/test.ts')).testCommand,
};

const printHelp = async (): Promise<void> => {
  console.log('The stack on this machine:\n');
  for (const [name, load] of Object.entries(commands)) {
    console.log(`  makima ${name.padEnd(8)} ${(await load()).summary}`);
  }
  console.log('\nEach has --help.');
};

const run = async ([name, ...args]: readonly string[]): Promise<number> => {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    await printHelp();
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) {
    const near = suggest(name, Object.keys(commands));
    throw new UsageError(`unknown command ${name}${near ? `: did you mean ${near}?` : ''}`);
  }
  const command = await load();
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.help);
    return exitCodes.ok;
  }
  return command.run({ home: homeFrom(process.env), env: process.env, args });
};

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  const asked = error instanceof UsageError || error instanceof BadSettingsError;
  process.exitCode = asked ? exitCodes.usage : exitCodes.failed;
}
