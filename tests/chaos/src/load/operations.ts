// What the person of a run asked for, and what was said to it.
// Why: an answer is a promise; whoever wrote it down can ask for it later, past the system that gave it.
// Law: only what was answered is a promise. What failed is either whole or absent, and both are fine.
import type postgres from 'postgres';

interface Promised {
  readonly what: string;
  /** Rows that fulfil it; none breaks it. */
  readonly kept: (sql: postgres.Sql) => PromiseLike<readonly unknown[]>;
}

export interface Operations {
  readonly count: number;
  contractCreated(id: string): void;
  taskSpawned(id: string): void;
  questionAnswered(id: string, response: string): void;
  /** Promises that were not kept. */
  broken(sql: postgres.Sql): Promise<string[]>;
}

export function operationsLog(): Operations {
  const promised: Promised[] = [];
  return {
    get count() {
      return promised.length;
    },
    contractCreated: (id) =>
      void promised.push({
        what: `contract ${id} was created`,
        kept: (sql) => sql`
          select 1 from contracts c join events e on e.contract_id = c.id and e.type = 'contract.created'
           where c.id = ${id}`,
      }),
    taskSpawned: (id) =>
      void promised.push({
        what: `task ${id} was spawned`,
        kept: (sql) => sql`
          select 1 from tasks t join events e on e.task_id = t.id and e.type = 'task.spawned'
           where t.id = ${id}`,
      }),
    questionAnswered: (id, response) =>
      void promised.push({
        what: `question ${id} was answered "${response}"`,
        kept: (sql) => sql`
          select 1 from questions where id = ${id} and status = 'answered' and response = ${response}`,
      }),
    async broken(sql) {
      const lost: string[] = [];
      for (const { what, kept } of promised)
        if ((await kept(sql)).length === 0) lost.push(`${what}, and is not there (I1)`);
      return lost;
    },
  };
}
