/**
 * An agent's transcript on the wire: lines in reports of bounded size, and lines that are larger than a
 * report in pieces. Pure.
 *
 * Law: `joinPieces(pieces of lines)` is the lines. The server keeps pieces as lines and need not know.
 */
import { wireLimits } from '@makima/contracts/limits';

/** Begins a piece that goes on with the line before it. A line of JSON never begins so. */
const goesOn = '\u0001';

/** Characters of a piece, and of a group of them: even if each is escaped, a report stays below a frame. */
const pieceChars = wireLimits.chunkBytes / 2;

/** Lines as groups of pieces, each group small enough for one report. */
export function* groupsOf(lines: readonly string[]): Generator<string[]> {
  let group: string[] = [];
  let chars = 0;
  for (const line of lines) {
    for (const piece of piecesOf(line)) {
      if (group.length > 0 && chars + piece.length > pieceChars) {
        yield group;
        group = [];
        chars = 0;
      }
      group.push(piece);
      chars += piece.length;
    }
  }
  if (group.length > 0) yield group;
}

export function joinPieces(pieces: readonly string[]): string[] {
  const lines: string[][] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (piece.startsWith(goesOn) && last !== undefined) last.push(piece.slice(goesOn.length));
    else lines.push([piece]);
  }
  return lines.map((parts) => parts.join(''));
}

function* piecesOf(line: string): Generator<string> {
  if (line.length <= pieceChars) {
    yield line;
    return;
  }
  let from = 0;
  while (from < line.length) {
    const to = safeEnd(line, from + pieceChars - goesOn.length);
    yield (from === 0 ? '' : goesOn) + line.slice(from, to);
    from = to;
  }
}

/** Never between the halves of a surrogate pair, which a store would refuse apart. */
function safeEnd(line: string, wanted: number): number {
  if (wanted >= line.length) return line.length;
  const unit = line.charCodeAt(wanted - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? wanted - 1 : wanted;
}
