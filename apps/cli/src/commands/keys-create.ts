/** `makima keys create`: the key on stdout, once. */
import type { Shell } from '../shell.ts';

interface Options {
  readonly scope?: ('read' | 'write' | 'owner')[];
  readonly expiresDays?: number;
}

export async function run(
  shell: Shell,
  [name]: readonly [string],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const created = await client.call('createKey', {
    body: {
      name,
      ...(options.scope === undefined ? {} : { scopes: options.scope }),
      ...(options.expiresDays === undefined ? {} : { expiresInDays: options.expiresDays }),
    },
  });
  if (shell.format === 'json') {
    shell.json(created);
    return;
  }
  shell.print(created.key);
  shell.say(
    `Key ${created.info.name} may ${created.info.scopes.join(', ')}. It is not shown again.`,
  );
}
