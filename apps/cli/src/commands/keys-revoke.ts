/** `makima keys revoke`: a key becomes worthless. */
import { MakimaError } from '@makima/domain/error';
import { tellDone } from '../act.ts';
import { isFullId, matching } from '../find.ts';
import { usageError } from '../print-error.ts';
import { confirm, type Shell } from '../shell.ts';

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: { readonly yes?: true },
): Promise<void> {
  await confirm(shell, `revoke key ${typed}`, { yes: options.yes === true });
  const client = await shell.connect();
  const id = isFullId(typed) ? typed.toLowerCase() : await find(shell, typed);
  const key = await client.call('revokeKey', { params: { id } });
  tellDone(shell, key, `key ${key.name} is worthless now`);
}

/** Of those that still work: a name may be used again. */
async function find(shell: Shell, typed: string): Promise<string> {
  const { items } = await (await shell.connect()).call('listKeys');
  const found = matching(
    items.filter((key) => key.revokedAt === null),
    typed,
    { id: (key) => key.id, name: (key) => key.name },
  );
  if (found.length > 1) {
    const candidates = found.map((key) => `${key.id}  ${key.name}`);
    throw usageError(`'${typed}' may mean ${found.length} keys`, 'type more of it', candidates);
  }
  const [key] = found;
  if (key) return key.id;
  throw new MakimaError('NOT_FOUND', `there is no key '${typed}'`, { fix: 'makima keys list' });
}
