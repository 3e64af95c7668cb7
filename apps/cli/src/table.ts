/**
 * Tables: fitted to the width of a terminal, or full and separated by tabs when a program reads them.
 *
 * Law: on a terminal no line is longer than the screen as long as its rigid columns fit; a rigid column (an
 * id) is never cut or wrapped. In a pipe there is no header, no colour and no shortening.
 */
import { createRequire } from 'node:module';
import type { Colors, Screen } from './io.ts';
import { oneLine } from './plain.ts';

export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => string;
  /** The cell for a program, when it differs: the full id, the exact time. */
  readonly full?: (row: T) => string;
  readonly tint?: (text: string, row: T, colors: Colors) => string;
  /** Never shortened. */
  readonly rigid?: true;
  /** Never shortened below this width; 8 when absent. */
  readonly least?: number;
  /** Where it appears; on both by default. */
  readonly only?: 'screen' | 'pipe';
  /** Left out when there is no room: the highest number first; absent: never. */
  readonly drop?: number;
}

/** Without a newline at its end; empty for no rows in a pipe. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  screen: Screen,
): string {
  return screen.isTty ? fitted(columns, rows, screen) : separated(columns, rows, screen);
}

function separated<T>(columns: readonly Column<T>[], rows: readonly T[], screen: Screen): string {
  const shown = columns.filter((column) => column.only !== 'screen');
  return rows
    .map((row) =>
      shown
        .map((column) => {
          const text = oneLine((column.full ?? column.cell)(row));
          return column.tint?.(text, row, screen.colors) ?? text;
        })
        .join('\t'),
    )
    .join('\n');
}

const leastWidth = 8;

interface Laid<T> {
  readonly column: Column<T>;
  readonly cells: readonly string[];
  width: number;
}

function fitted<T>(columns: readonly Column<T>[], rows: readonly T[], screen: Screen): string {
  let laid: Laid<T>[] = columns
    .filter((column) => column.only !== 'pipe')
    .map((column) => {
      const cells = rows.map((row) => oneLine(column.cell(row)));
      return { column, cells, width: Math.max(...[column.head, ...cells].map(widthOf)) };
    });
  while (excess(laid, screen.columns) > 0) {
    if (shrink(laid, excess(laid, screen.columns))) break;
    const dropped = mostDroppable(laid);
    if (dropped === undefined) break;
    laid = laid.filter((one) => one !== dropped);
  }
  const space = (one: Laid<T>): string => ' '.repeat(gapAfter(one));
  const head = line(laid.map((one) => pad(one.column.head, one.width, screen) + space(one)));
  const body = rows.map((row, at) =>
    line(
      laid.map((one) => {
        const text = pad(one.cells[at] ?? '', one.width, screen);
        return (one.column.tint?.(text, row, screen.colors) ?? text) + space(one);
      }),
    ),
  );
  return [screen.colors.dim(head), ...body].join('\n');
}

/** Tinted cells keep their padding; the last one loses it together with what stands after it. */
function line(cells: readonly string[]): string {
  return cells.join('').trimEnd();
}

/** Two spaces between columns, one after a glyph. */
function gapAfter<T>(one: Laid<T>): number {
  return one.width === 1 ? 1 : 2;
}

function excess<T>(laid: readonly Laid<T>[], columns: number): number {
  const total = laid.reduce((sum, one) => sum + one.width + gapAfter(one), 0);
  return total - 2 - columns;
}

/** Takes `tooMuch` from the columns that can spare it, the roomiest first; false when that is not enough. */
function shrink<T>(laid: readonly Laid<T>[], tooMuch: number): boolean {
  const soft = laid.filter((one) => one.column.rigid !== true);
  const spareOf = (one: Laid<T>): number => one.width - (one.column.least ?? leastWidth);
  const spare = soft.reduce((sum, one) => sum + Math.max(0, spareOf(one)), 0);
  if (spare < tooMuch) return false;
  for (let left = tooMuch; left > 0; left -= 1) {
    const roomiest = soft.reduce((a, b) => (spareOf(b) > spareOf(a) ? b : a));
    roomiest.width -= 1;
  }
  return true;
}

function mostDroppable<T>(laid: readonly Laid<T>[]): Laid<T> | undefined {
  const droppable = laid.filter((one) => one.column.drop !== undefined);
  if (droppable.length === 0) return undefined;
  return droppable.reduce((a, b) => ((b.column.drop ?? 0) > (a.column.drop ?? 0) ? b : a));
}

function pad(text: string, width: number, screen: Screen): string {
  const short = cut(text, width, screen.ellipsis);
  return short + ' '.repeat(Math.max(0, width - widthOf(short)));
}

type StringWidth = (text: string) => number;
let stringWidth: StringWidth | undefined;

/** Its library is loaded with the first table for a screen: what is piped needs none, and it costs 20 ms. */
export function widthOf(text: string): number {
  stringWidth ??= (
    createRequire(import.meta.url)('string-width') as { readonly default: StringWidth }
  ).default;
  return stringWidth(text);
}

const segmenter = new Intl.Segmenter();

/** At most `width` columns, with the ellipsis where something was cut. */
export function cut(text: string, width: number, ellipsis: string): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = widthOf(ellipsis);
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept + ellipsis;
}

/** The shortest beginning of ids, eight characters or more, that tells these apart. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const all = new Set(ids);
  let length = 8;
  while (length < 36 && new Set([...all].map((id) => id.slice(0, length))).size < all.size) {
    length += 1;
  }
  return (id) => id.slice(0, length).replace(/-$/, '');
}
