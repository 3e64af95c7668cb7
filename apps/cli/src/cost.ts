/** What something has cost, in a cell of a table. */
import { costWords, spentWords, usdText, type Spent } from '@makima/domain/usage';
import type { Column } from './table.ts';

export function costColumn<T extends { readonly usage: Spent }>(drop: number): Column<T> {
  return {
    head: 'COST',
    rigid: true,
    cell: ({ usage }) => (spentWords(usage) === null ? '-' : costWords(usage)),
    full: ({ usage }) => usdText(usage.costMicros),
    drop,
  };
}
