// Supervisors lost at once: their machine is gone and every lease is over; how long until each is claimed and
// another machine has the command to start it.
// Why: restorations must not stand in a queue behind each other when a big machine dies.
import postgres from 'postgres';
import { createClient, type Client } from '@makima/client/client';
import { startTestStack } from '@makima/stack/test-stack';
import { joinDaemon, startedReport, type BenchDaemon } from './fleet.ts';
import { figuresOf, round, type Figures } from './figures.ts';

export interface RestoreFigures {
  readonly supervisors: number;
  /** From the end of the leases to the command at the other machine. */
  readonly commandedMs: Figures;
  readonly seconds: number;
  /** Supervisors with another number of restorations or notices than one. */
  readonly wrong: number;
}

export async function benchRestore(options: {
  readonly supervisors: number;
  readonly say: (line: string) => void;
}): Promise<RestoreFigures> {
  const house = await startTestStack({
    daemon: 'none',
    env: {
      LOG_LEVEL: 'warn',
      MAKIMA_LIMITS: 'requestsPerKeyPerMinuteMax=1000000',
      // The machine that dies beats for none of them: nothing but the bench ends a lease.
      MAKIMA_LEASE_SECONDS: '3600',
    },
  });
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  const sql = postgres(house.stack.addresses.databaseUrl, { max: 1 });
  const places = options.supervisors + 1;
  const first = await joinDaemon(client, house.gatewayUrl, places);
  const daemons = [first];
  try {
    await startContracts(client, first, options.supervisors);
    options.say(`${options.supervisors} supervisors run`);
    await first.close();
    daemons.pop();
    const second = await joinDaemon(client, house.gatewayUrl, places);
    daemons.push(second);
    const commandedMs: number[] = [];
    const all = Promise.withResolvers<void>();
    second.onCommand = (command, atMs) => {
      if (command.kind !== 'task.start') return;
      commandedMs.push(atMs - began);
      if (commandedMs.length === options.supervisors) all.resolve();
    };
    const began = performance.now();
    await sql`update task_attempts set lease_expires_at = clock() - interval '1 ms' where state in ('assigned', 'running')`;
    await all.promise;
    const seconds = round((performance.now() - began) / 1_000);
    const [row] = await sql<{ wrong: number }[]>`
      select count(*)::int as wrong from supervisors s
       where s.epoch <> 2 or s.restoration_count <> 1
          or (select count(*) from restorations r where r.task_id = s.task_id) <> 1
          or (select count(*) from agent_messages m where m.task_id = s.task_id and m.source = 'notice') <> 1`;
    return {
      supervisors: options.supervisors,
      commandedMs: figuresOf(commandedMs),
      seconds,
      wrong: row?.wrong ?? options.supervisors,
    };
  } finally {
    for (const daemon of daemons) await daemon.close();
    await sql.end();
    await house.stop();
  }
}

/** Each with a repository that any machine may fetch: it is bound to none. */
async function startContracts(client: Client, daemon: BenchDaemon, count: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  let started = 0;
  daemon.onCommand = (command) => {
    if (command.kind !== 'task.start') return;
    daemon.report([startedReport(command)]);
    started += 1;
    if (started === count) all.resolve();
  };
  let next = 0;
  const maker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++)
      await client.call('createContract', {
        body: {
          name: `restore ${n}`,
          description: 'bench',
          contractType: 'simple',
          repositories: [{ repositoryUrl: 'https://git.example.com/bench.git' }],
          agent: 'scripted',
        },
      });
  };
  await Promise.all(Array.from({ length: 8 }, maker));
  await all.promise;
}
