// The commands of the local stack, as `./makima <command>` starts them.
// Why: everything that runs on this machine is started, seen and stopped through one door.
// Law: the only file here that turns a command line into a call.
import { testCommand } from './commands/test.ts';

const [command, ...args] = process.argv.slice(2);
if (command === 'test') process.exitCode = await testCommand(args);
else {
  console.error(`makima: ${command ?? 'nothing'} is not a command of the stack`);
  process.exitCode = 2;
}
