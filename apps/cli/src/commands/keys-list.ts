/** `makima keys list`: keys, without their secrets. */
import type { Answer } from '@makima/client/client';
import type { Shell } from '../shell.ts';
import { renderTable, shortIds, type Column } from '../table.ts';
import { ago } from '../time.ts';

type Key = Answer<'listKeys'>['items'][number];

export async function run(shell: Shell): Promise<void> {
  const client = await shell.connect();
  const keys = await client.call('listKeys');
  if (shell.format === 'json') {
    shell.json(keys);
    return;
  }
  shell.print(renderTable(columns(keys.items, shell.nowMs()), keys.items, shell.screen));
}

function columns(keys: readonly Key[], nowMs: number): readonly Column<Key>[] {
  const short = shortIds(keys.map((k) => k.id));
  const state = (k: Key): string => {
    if (k.revokedAt !== null) return 'revoked';
    return k.expiresAt !== null && Date.parse(k.expiresAt) < nowMs ? 'expired' : 'valid';
  };
  return [
    { head: 'ID', rigid: true, cell: (k) => short(k.id), full: (k) => k.id },
    { head: 'NAME', cell: (k) => k.name },
    { head: 'KIND', cell: (k) => k.kind },
    { head: 'MAY', cell: (k) => k.scopes.join(',') || '-' },
    {
      head: 'STATE',
      cell: state,
      tint: (text, k, colors) => (state(k) === 'valid' ? colors.green(text) : colors.gray(text)),
    },
    { head: 'EXPIRES', cell: (k) => k.expiresAt?.slice(0, 10) ?? 'never', drop: 1 },
    {
      head: 'USED',
      rigid: true,
      cell: (k) => ago(k.lastUsedAt, nowMs),
      full: (k) => k.lastUsedAt ?? '-',
      drop: 2,
    },
  ];
}
