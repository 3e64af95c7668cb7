/**
 * Cuts an agent's byte stream into lines, with a bound on memory: of a line that grows beyond the cap only
 * its head is kept and the rest is counted.
 *
 * Law: memory per stream is at most the cap plus one chunk, whatever the agent writes; a cut is told.
 */

export interface CutLine {
  /** The first bytes of the line, as text. */
  readonly head: string;
  /** Length of the whole line in bytes. */
  readonly bytes: number;
}

export interface LineSplitter {
  write(chunk: Buffer): void;
  /** The stream ended: a last line without its newline is a line. */
  end(): void;
}

const headBytes = 4096;

export function lineSplitter(options: {
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  readonly onCut: (cut: CutLine) => void;
}): LineSplitter {
  let parts: Buffer[] = [];
  let bytes = 0;
  let head: string | null = null;

  const add = (piece: Buffer) => {
    bytes += piece.length;
    if (head !== null) return;
    parts.push(piece);
    if (bytes <= options.maxBytes) return;
    head = Buffer.concat(parts).subarray(0, headBytes).toString('utf8');
    parts = [];
  };
  const finish = () => {
    if (head !== null) options.onCut({ head, bytes });
    else if (bytes > 0) options.onLine(Buffer.concat(parts).toString('utf8').replace(/\r$/, ''));
    parts = [];
    bytes = 0;
    head = null;
  };

  return {
    write(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        add(chunk.subarray(from, at));
        finish();
        from = at + 1;
      }
      if (from < chunk.length) add(chunk.subarray(from));
    },
    end: finish,
  };
}
