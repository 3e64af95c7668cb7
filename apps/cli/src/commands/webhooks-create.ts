/** `makima webhooks create`: the secret on stdout, once; what follows as talk. */
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import type { zWebhookInput } from '@makima/contracts/entity/webhook';
import { contractId } from '../find.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly name?: string;
  readonly events?: readonly string[];
  readonly contract?: readonly string[];
  readonly ntfy?: string;
  readonly tokenStdin?: true;
}

type Body = z.input<typeof zWebhookInput>;

export async function run(shell: Shell, [url]: readonly [string], options: Options): Promise<void> {
  const { name, ntfy } = options;
  if (options.tokenStdin === true && ntfy === undefined)
    throw usageError('only an ntfy server asks for a token', 'add --ntfy <topic>');
  const client = await shell.connect();
  const contractIds = await Promise.all(
    (options.contract ?? []).map((typed) => contractId(client, typed)),
  );
  const token = options.tokenStdin === true ? (await text(shell.io.stdin)).trim() : undefined;
  const made = await client.call('createWebhook', {
    body: {
      url,
      contractIds,
      ...(name === undefined ? {} : { name }),
      ...(ntfy === undefined ? {} : { kind: 'ntfy', topic: ntfy }),
      ...(token === undefined ? {} : { token }),
      ...(options.events === undefined ? {} : { eventTypes: typesOf(options.events) }),
    },
  });
  if (shell.format === 'json') {
    shell.json(made);
    return;
  }
  const { webhook, secret } = made;
  shell.print(secret ?? webhook.id);
  const shown = secret === null ? '' : ' Its secret is not shown again.';
  shell.say(
    `${webhook.name} is told of ${webhook.eventTypes.join(', ')}.${shown}  Try it: makima webhooks test ${webhook.id}`,
  );
}

/** The server knows which types there are. */
function typesOf(given: readonly string[]): Body['eventTypes'] {
  return (given.includes('all') ? ['*'] : [...given]) as Body['eventTypes'];
}
