/** Tables fit the terminal, and pipes get every word. */
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Screen } from './io.ts';
import { cut, renderTable, shortIds, widthOf, type Column } from './table.ts';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { head: 'ID', rigid: true, cell: (r) => r.id.slice(0, 8), full: (r) => r.id },
  { head: 'NAME', cell: (r) => r.name, tint: (text, _, colors) => colors.red(text) },
  { head: 'NOTE', cell: (r) => r.note, drop: 1 },
  { head: 'BIG', only: 'pipe', cell: () => 'big' },
];
const row = (name: string, note = ''): Row => ({ id: '0199aaaa-0001', name, note });

const screen = (width: number, color = false): Screen => ({
  isTty: Number.isFinite(width),
  columns: width,
  colors: pc.createColors(color),
  ellipsis: '…',
});

describe('a table on a terminal', () => {
  it('stays as wide as its text when there is room', () => {
    expect(renderTable(columns, [row('short', 'fine')], screen(80))).toBe(
      'ID        NAME   NOTE\n0199aaaa  short  fine',
    );
  });

  it.each([40, 60, 80])('fits %i columns and never cuts an id', (width) => {
    const rows = [row('n'.repeat(70), 'x'.repeat(90)), row('漢字'.repeat(40), 'y')];
    const lines = renderTable(columns, rows, screen(width)).split('\n');
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
    for (const line of lines.slice(1)) expect(line).toContain('0199aaaa');
  });

  it('leaves out what may be left out before it cuts too deep', () => {
    const text = renderTable(columns, [row('name', 'note')], screen(18));
    expect(text).toBe('ID        NAME\n0199aaaa  name');
  });

  it('makes one line of a cell with several, and nothing of control characters', () => {
    const text = renderTable(columns, [row('a\nb\u001b[2J', '')], screen(80));
    expect(text.split('\n')[1]).toBe('0199aaaa  a b');
  });

  it('paints after it has measured', () => {
    const text = renderTable(columns, [row('n'.repeat(50), '')], screen(40, true));
    expect(text).toContain('\u001b[31m');
    for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(40);
  });
});

describe('a table in a pipe', () => {
  it('has no header, full cells and tabs between them', () => {
    const text = renderTable(columns, [row('n'.repeat(200), 'a\tb')], screen(Infinity));
    expect(text).toBe(`0199aaaa-0001\t${'n'.repeat(200)}\ta b\tbig`);
  });

  it('is empty when there is nothing', () => {
    expect(renderTable(columns, [], screen(Infinity))).toBe('');
  });
});

describe('shortening', () => {
  it('cuts by display width', () => {
    expect(cut('漢字漢字', 5, '…')).toBe('漢字…');
    expect(cut('abc', 3, '…')).toBe('abc');
    expect(cut('👩‍👩‍👧‍👧👩‍👩‍👧‍👧', 3, '…')).toBe('👩‍👩‍👧‍👧…');
  });

  it('keeps ids apart, with eight characters at least', () => {
    const ids = ['0199aaaa-0001-7000', '0199aaaa-0002-7000'];
    expect(ids.map(shortIds(ids))).toEqual(['0199aaaa-0001', '0199aaaa-0002']);
    expect(shortIds(['0199aaaa-0001-7000'])('0199aaaa-0001-7000')).toBe('0199aaaa');
    expect(shortIds([])('0199aaaa-0001-7000')).toBe('0199aaaa');
  });
});
