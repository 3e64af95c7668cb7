// A Postgres that refuses every twentieth transaction as it does when two are in each other's way: the same
// transaction, done again, may succeed.
// Law: the refusal comes from the server, with its real code, in the middle of a real transaction.
import type { House } from '../house/house.ts';
import type { Fault } from './fault.ts';

const share = 0.05;
const lastsMs = 8_000;

export const refusedTransactions: Fault = {
  about: `every ${Math.round(1 / share)}th transaction that has an event fails with a serialization failure or a deadlock`,
  recovery: 'probe',
  async strike(house) {
    if (!(await plant(house))) return null;
    let count = 0;
    return {
      hit: 'events',
      lastsMs,
      async heal() {
        await uproot(house);
        count = await refusals(house);
      },
      evidence: () => (count > 0 ? `${count} were refused` : undefined),
    };
  },
};

/** Numbers of a sequence are not rolled back: they count what was. */
async function plant({ sql }: House): Promise<boolean> {
  return sql
    .unsafe(
      `
    create sequence if not exists chaos_refused;
    grant usage on sequence chaos_refused to public;
    create or replace function chaos_refuse() returns trigger language plpgsql as $$
    begin
      if random() < ${share} then
        if nextval('chaos_refused') % 2 = 0
        then raise exception 'chaos: could not serialize access' using errcode = '40001';
        else raise exception 'chaos: deadlock detected' using errcode = '40P01';
        end if;
      end if;
      return null;
    end $$;
    create or replace trigger chaos_refuse after insert on events
      for each statement execute function chaos_refuse()`,
    )
    .then(
      () => true,
      () => false,
    );
}

async function uproot({ sql }: House): Promise<void> {
  await sql`drop trigger if exists chaos_refuse on events`;
}

async function refusals({ sql }: House): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select case when is_called then last_value else 0 end::int as count from chaos_refused`;
  return row?.count ?? 0;
}
