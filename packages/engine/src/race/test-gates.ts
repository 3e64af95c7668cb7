/**
 * An engine whose statements go out one by one as a scheduler lets them: before each statement and before each
 * commit stands a gate. Postgres is the real one, with its locks; what waits for a lock stands at no gate.
 *
 * Law: only the order changes. What a statement is and does is the engine's.
 */
import type { Database, Sql, Tx } from '@makima/db/client';
import type { Engine } from '../context.ts';

/** Resolves when it is the turn of whoever stands here. */
export type Gate = (label: string) => Promise<unknown>;

/** `name` is whose statements these are, for the reader of a counterexample. */
export function gated(engine: Engine, name: string, gate: Gate): Engine {
  const { sql } = engine.database;
  const begin = (work: (tx: Tx) => Promise<unknown>): Promise<unknown> =>
    sql.begin(async (tx) => {
      const result = await work(atGates(tx, name, gate) as Tx);
      await gate(`${name}: commit`);
      return result;
    });
  const gatedSql = new Proxy(atGates(sql, name, gate), {
    get: (target, key) => (key === 'begin' ? begin : Reflect.get(target, key)),
  });
  const database: Database = { ...engine.database, sql: gatedSql as Sql };
  return { ...engine, database };
}

/** A statement is sent when it is awaited; a fragment of another never is. */
function atGates<Q extends Sql | Tx>(sql: Q, name: string, gate: Gate): Q {
  return new Proxy(sql, {
    apply(target, self, given: unknown[]) {
      const made: unknown = Reflect.apply(target as never, self, given);
      if (!isTemplate(given[0])) return made;
      const statement = made as Promise<unknown>;
      const send = statement.then.bind(statement) as (...on: unknown[]) => Promise<unknown>;
      const label = `${name}: ${given[0].join('?').replace(/\s+/g, ' ').trim().slice(0, 60)}`;
      let turn: Promise<unknown> | undefined;
      const whenItsTurn = (...on: unknown[]): Promise<unknown> => {
        turn ??= gate(label);
        return turn.then(() => send(...on));
      };
      // To await a statement is to send it: that is where its gate stands.
      // oxlint-disable-next-line no-thenable
      Reflect.defineProperty(statement, 'then', { value: whenItsTurn });
      return statement;
    },
  });
}

function isTemplate(value: unknown): value is TemplateStringsArray {
  return Array.isArray(value) && 'raw' in value;
}
