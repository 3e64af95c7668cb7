/** `makima daemon enrol`: the one line that another machine runs to join and start. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoted } from '../repository.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly name?: string;
  readonly expires?: number;
  readonly gateway?: string;
}

export async function run(shell: Shell, _args: readonly [], options: Options): Promise<void> {
  const client = await shell.connect();
  const enrolment = await client.call('createEnrolment', {
    body: {
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.expires === undefined ? {} : { expiresInSeconds: options.expires }),
    },
  });
  const gateway = options.gateway ?? gatewayOf(shell, client.baseUrl);
  const name = options.name === undefined ? '' : ` --name ${quoted(options.name)}`;
  const settings = `MAKIMA_API_URL=${quoted(client.baseUrl)} MAKIMA_GATEWAY_URL=${quoted(gateway)}`;
  const line =
    `export ${settings}; ./makima daemon join --token ${enrolment.token}${name}` +
    ' && ./makima daemon start';
  if (shell.format === 'json') {
    shell.json({ ...enrolment, gateway, command: line });
    return;
  }
  shell.say('In a checkout of makima on the other machine:');
  shell.print(line);
  shell.say(`It works once, until ${enrolment.expiresAt}.`);
  if (/\/\/(localhost|127\.|\[::1\])/.test(client.baseUrl)) {
    shell.say('This address is of this machine only: give the one that others see, with --url.');
  }
}

const gatewayPort = 7401;

/** The running stack says where its gateway listens; elsewhere it is the standing port of that host. */
function gatewayOf(shell: Shell, baseUrl: string): string {
  const url = new URL(baseUrl);
  const scheme = url.protocol === 'https:' ? 'wss' : 'ws';
  const home = shell.io.env['MAKIMA_HOME'] || join(shell.io.checkout, '.makima');
  const port = portInStack(join(home, 'run/stack.json'), url.origin) ?? gatewayPort;
  return `${scheme}://${url.hostname}:${port}/daemon`;
}

function portInStack(file: string, origin: string): number | undefined {
  try {
    const stack = JSON.parse(readFileSync(file, 'utf8')) as {
      url?: string;
      processes?: { name?: string; port?: number | null }[];
    };
    if (stack.url === undefined || new URL(stack.url).origin !== origin) return undefined;
    const gateway = stack.processes?.find((one) => one.name?.includes('gateway'));
    return gateway?.port ?? undefined;
  } catch {
    return undefined;
  }
}
