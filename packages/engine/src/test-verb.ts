/** A verb as the tests that walk all of them see it. */
import type { EndpointId } from '@makima/contracts/http/all';
import type { Call, Engine } from './context.ts';
import type { Ids } from './test-ids.ts';

export interface Verb {
  readonly name: EndpointId;
  readonly does: 'reads' | 'writes';
  /** The id that names what it is about; null when it is about everything of an owner. */
  readonly about: keyof Ids | null;
  readonly run: (engine: Engine, call: Call, ids: Ids) => Promise<unknown>;
}

/** The same in one line of a list. */
export type VerbLine = readonly [Verb['name'], Verb['does'], Verb['about'], Verb['run']];
