// `makima up`: the whole stack, here in the terminal or in the background.
// Why: from nothing to an address in a browser with one word, the first time and every time.
// Law: it returns successfully only when everything serves; run twice it changes nothing.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../checkout.ts';
import { ensureHome, ownerKeyFile, readOwnerKey, type Home } from '../home.ts';
import { followFile } from '../follow-file.ts';
import { AlreadyRunningError, Stack, type StackEvent } from '../stack.ts';
import { lockOwner } from '../start-lock.ts';
import { runningState, type StackState } from '../state-file.ts';
import { untilTrue } from '../store-ready.ts';
import { withStoreFiles } from '../store-secrets.ts';
import { exitCodes, readOptions, say, type Command, type CommandContext } from './command.ts';

const startTimeoutMs = 180_000;

export const upCommand: Command = {
  summary: 'start everything on this machine',
  help: `Usage: makima up [--detach] [--no-daemon]

Starts Postgres, Redis, the services and this machine's daemon, and says where they are.
In the terminal until Ctrl-C, which drains; with --detach in the background, once all are ready.
DATABASE_URL and REDIS_URL, when set, are used in place of embedded stores; DATABASE_URL_FILE
and REDIS_URL_FILE name files that hold them, so that no environment shows a password.

  -d, --detach     return when everything is ready
      --no-daemon  without a daemon: no agents run on this machine

Example: makima up --detach`,
  run: async (context) => {
    const { values } = readOptions(context.args, {
      detach: { type: 'boolean', short: 'd' },
      'no-daemon': { type: 'boolean' },
      // How --detach starts its other half, which has nobody to talk to.
      background: { type: 'boolean' },
    });
    const daemon = values['no-daemon'] ? 'none' : 'local';
    if (values.detach) return upDetached(context, daemon);
    return upHere(context, daemon, values.background ? () => {} : announceHere);
  },
};

const upHere = async (
  { home, env }: CommandContext,
  daemon: 'local' | 'none',
  onReady: typeof announce,
): Promise<number> => {
  const hadKey = readOwnerKey(home) !== undefined;
  const stack = new Stack({ home, env, ports: 'preferred', daemon, onEvent: report });
  let signals = 0;
  const left = Promise.withResolvers<number>();
  const leave = (code: number): void => {
    signals += 1;
    if (signals > 1) stack.kill();
    else say('stopping: daemon, services, Redis, Postgres');
    void stack.stop().then(() => left.resolve(code));
  };
  let ready = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => leave(ready ? exitCodes.ok : exitCodes.interrupted));
  }
  process.on('uncaughtException', (error) => {
    say(`unexpected: ${error.stack ?? error.message}`);
    leave(exitCodes.failed);
  });
  try {
    await stack.start();
  } catch (error) {
    if (error instanceof AlreadyRunningError) return alreadyUp(home);
    if (signals > 0) return left.promise;
    throw error;
  }
  ready = true;
  onReady(home, { url: stack.addresses.apiUrl, showKey: !hadKey });
  return left.promise;
};

const upDetached = async (context: CommandContext, daemon: 'local' | 'none'): Promise<number> => {
  const { home, env } = context;
  ensureHome(home);
  if (lockOwner(home)) return alreadyUp(home);
  const hadKey = readOwnerKey(home) !== undefined;
  const logFile = join(home.logs, 'stack.log');
  const follow = followFile(logFile, 'end', (text) => process.stderr.write(text));
  const log = openSync(logFile, 'a', 0o600);
  const main = join(checkout, 'tools', 'stack', 'src', 'main.ts');
  const args = [main, 'up', '--background', ...(daemon === 'none' ? ['--no-daemon'] : [])];
  const child = spawn(process.execPath, args, {
    env: { ...withStoreFiles(env, home), MAKIMA_HOME: home.root },
    cwd: checkout,
    detached: true,
    stdio: ['ignore', log, log],
  });
  let failure: string | undefined;
  let leftWith: number = exitCodes.failed;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code) => {
    failure = 'left';
    leftWith = code || exitCodes.failed;
  });
  const giveUp = (): void => void child.kill('SIGTERM');
  process.once('SIGINT', giveUp).once('SIGTERM', giveUp);
  try {
    await readyState(home, () => failure);
  } catch (error) {
    giveUp();
    // The other half has said why, and it has been seen here.
    if (failure === 'left') return leftWith;
    throw error;
  } finally {
    follow.stop();
    process.off('SIGINT', giveUp).off('SIGTERM', giveUp);
  }
  child.unref();
  announce(home, { url: runningState(home)!.url, showKey: !hadKey });
  say('it goes on in the background; ./makima down stops it');
  return exitCodes.ok;
};

const alreadyUp = async (home: Home): Promise<number> => {
  const { url, pid } = await readyState(home, () =>
    lockOwner(home) ? undefined : 'the stack that was starting has left',
  );
  say(`already runs (process ${pid})`);
  announce(home, { url, showKey: false });
  return exitCodes.ok;
};

const readyState = async (home: Home, failure: () => string | undefined): Promise<StackState> => {
  const ready = (): boolean => runningState(home)?.ready === true;
  await untilTrue('the stack', () => Promise.resolve(ready()), {
    timeoutMs: startTimeoutMs,
    failure,
  });
  return runningState(home)!;
};

/** The address goes to standard output, so that a script can take it. */
const announce = (home: Home, { url, showKey }: { url: string; showKey: boolean }): void => {
  const ownerKey = readOwnerKey(home);
  if (ownerKey !== undefined && showKey) {
    console.log(`owner key  ${ownerKey}`);
    console.log(`           shown once; it gives every right, so keep it safe`);
  } else if (ownerKey !== undefined) console.log(`owner key  in ${ownerKeyFile(home)}`);
  console.log(`data       ${home.root}`);
  console.log(`reference  ${url}/reference`);
  console.log(`url        ${url}`);
};

const announceHere: typeof announce = (home, what) => {
  announce(home, what);
  say('Ctrl-C stops it');
};

const report = (event: StackEvent): void => {
  switch (event.kind) {
    case 'progress':
      return say(event.line);
    case 'ready':
      return say(`${event.name} is ready`);
    case 'died':
      return say(`${event.name} left (${event.reason}), starts again in ${event.restartInMs} ms`);
    case 'started':
    case 'stopped':
      return undefined;
  }
};
