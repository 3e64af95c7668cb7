/** What the teller of a story remembers: names by id, and the screen that it tells on. */
import type { Colors } from './io.ts';

/** What a story knows beyond an event; it learns names from the events that it tells. */
export interface StoryContext {
  readonly colors: Colors;
  /** Name of a task by its id. */
  readonly taskNames: Map<string, string>;
  /** Slug of a contract by its id. */
  readonly contractSlugs: Map<string, string>;
  /** Name of a daemon by its id. */
  readonly daemonNames: Map<string, string>;
  /** Words of a question by its id. */
  readonly questions: Map<string, string>;
  /** Say of which contract each line is: for stories of several. */
  readonly showContract: boolean;
  /** Width of a line; infinite in a pipe. */
  readonly columns: number;
  readonly ellipsis: string;
}
