// Figures of chaos runs as they are kept: what `--record` writes and the reference shows.
import type { Summary } from './summary.ts';

export interface Figure extends Summary {
  readonly scenario: string;
  readonly date: string;
  readonly machine: string;
  readonly load: string;
}

export function parseFigures(text: string): Figure[] {
  return JSON.parse(text) as Figure[];
}
