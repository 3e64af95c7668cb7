// Finds circles in a graph of imports.
// Why: a circle has no bottom, so nothing in it can be understood or tested first.
// Law: each circle is told once, at one import that closes it.

export interface Edge {
  target: string;
  line: number;
}

export interface Circle {
  /** The file whose import closes the circle, and the line of that import. */
  path: string;
  line: number;
  way: readonly string[];
}

/** Depth-first search; an edge to a node that is still open closes a circle. */
export const cyclesIn = (graph: ReadonlyMap<string, readonly Edge[]>): Circle[] => {
  const state = new Map<string, 'open' | 'done'>();
  const circles: Circle[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    state.set(path, 'open');
    for (const { target, line } of graph.get(path) ?? []) {
      if (state.get(target) === 'open') {
        const start = way.indexOf(target);
        circles.push({ path, line, way: [...way.slice(start), target] });
      } else if (!state.has(target)) visit(target, [...way, target]);
    }
    state.set(path, 'done');
  };
  for (const path of [...graph.keys()].toSorted()) {
    if (!state.has(path)) visit(path, [path]);
  }
  return circles;
};
