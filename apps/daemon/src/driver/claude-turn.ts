/**
 * What both halves of Claude Code's dialect (its story and its requests) know together of the running turn.
 *
 * Law: what we did to a tool (denied it, broke it off) is known from us, not read out of the words that Claude
 * Code puts into its result.
 */
export interface ClaudeTurn {
  /** Tool calls that a guard or a person refused. */
  readonly denied: Set<string>;
  /** It works, or waits for an answer. */
  running: boolean;
  /** We asked for the turn's end. */
  interrupting: boolean;
}

export function claudeTurn(): ClaudeTurn {
  return { denied: new Set(), running: false, interrupting: false };
}

/** Makima's own tools carry their plain name; those of other servers keep theirs. */
export function plainToolName(name: string): string {
  return name.startsWith('mcp__makima__') ? name.slice('mcp__makima__'.length) : name;
}
