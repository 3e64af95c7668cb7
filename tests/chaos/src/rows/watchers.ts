// Who looks on while faults strike: the door of the API, the processes, their memory, agents without a master, clocks.
// Law: looks past whatever fails; says at rest what must not have been, and prints the figures that it saw.
import { readFileSync } from 'node:fs';
import { createClient } from '@makima/client/client';
import { followEvents } from '@makima/client/follow-events';
import { isMakimaError } from '@makima/domain/error';
import { liveAgents } from '../house/agents.ts';
import { found, pause } from '../pause.ts';
import { spreadOf } from '../measure/recovery.ts';
import type { Watcher } from './row.ts';
import { tellOf } from './stories/stage.ts';

const askEveryMs = 150;

export interface ApiBar {
  /** Whether the API may say that its store is away (503); anything else but yes it may never say. */
  readonly mayBeAway: boolean;
  readonly p99Ms?: number;
}

/** A person who changes something every moment: each time the API says yes, in time. */
export function apiAnswers({ mayBeAway, p99Ms }: ApiBar): Watcher {
  return (stage) => {
    const { house, verdict, say } = stage;
    const { addresses, ownerKey } = house.stack;
    const client = createClient({ baseUrl: addresses.apiUrl, key: ownerKey ?? '', tries: 1 });
    const over = new AbortController();
    const tookMs: number[] = [];
    const noes = new Map<string, number>();
    const asking = (async () => {
      const told = await tellOf(stage, 'asked-always', [{ wait_message: { containing: 'never' } }]);
      for (let n = 0; !over.signal.aborted; n += 1) {
        const since = performance.now();
        try {
          // A change of words would be told to the leader, whose mailbox is bounded.
          const body = { priority: n % 50 };
          await client.call('patchContract', { params: { id: told.id }, body, timeoutMs: 10_000 });
          tookMs.push(performance.now() - since);
        } catch (error) {
          const why = isMakimaError(error) ? error.code : String(error);
          noes.set(why, (noes.get(why) ?? 0) + 1);
        }
        await pause(askEveryMs, over.signal);
      }
    })().catch((error: unknown) => void verdict.broken.push(`nobody could ask: ${String(error)}`));
    return {
      async atRest() {
        over.abort();
        await asking;
        const { p50, p95, max, samples } = spreadOf(tookMs.map(Math.round));
        const p99 = tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length * 0.99)] ?? 0;
        say(
          `the API said yes ${samples} times (p50 ${p50}, p95 ${p95}, p99 ${Math.round(p99)}, max ${max} ms), no: ${JSON.stringify([...noes])}`,
        );
        if (samples === 0) verdict.broken.push('the API never said yes');
        if (p99Ms !== undefined && p99 > p99Ms)
          verdict.broken.push(
            `the API took ${Math.round(p99)} ms (p99), which is more than ${p99Ms}`,
          );
        for (const [why, count] of noes)
          if (!mayBeAway || why !== 'DEPENDENCY_UNAVAILABLE')
            verdict.broken.push(`the API said ${why} ${count} times (I1)`);
      },
    };
  };
}

/** Whoever is not hit lives on: what fails under a process never ends it. */
export function nobodyExits(...names: readonly string[]): Watcher {
  return ({ house, verdict }) => {
    const before = names.map((name) => [name, house.process(name).pid] as const);
    return {
      atRest() {
        for (const [name, pid] of before)
          if (house.process(name).pid !== pid) verdict.broken.push(`${name} ended by itself (I40)`);
      },
    };
  };
}

export const theServices = ['api', 'scheduler', 'restorer', 'daemon-gateway'] as const;

/** Whoever lives through it is not larger than before by more than this. */
export function memoryStays(growthMaxMb: number, ...names: readonly string[]): Watcher {
  return ({ house, verdict, say }) => {
    const sizes = (): (number | null)[] => names.map((name) => residentMb(house.process(name).pid));
    const before = sizes();
    return {
      atRest() {
        sizes().forEach((now, n) => {
          const then = before[n];
          if (now === null || then == null) return;
          say(`${names[n]}: ${then} MB, and ${now} MB at the end`);
          if (now - then > growthMaxMb)
            verdict.broken.push(`${names[n]} grew from ${then} MB to ${now} MB`);
        });
      },
    };
  };
}

function residentMb(pid: number | null): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
  } catch {
    return null;
  }
}

/** At rest no agent lives whose attempt is over: nothing outlives its daemon, its lease or its fence. */
export const noOrphans: Watcher = ({ house, verdict }) => ({
  async atRest() {
    const orphans = async (): Promise<string[]> => {
      const open = await house.sql<{ key: string }[]>`
        select task_id || ' ' || attempt as key from task_attempts where state in ('assigned', 'running')`;
      const keys = new Set(open.map(({ key }) => key));
      return liveAgents(house.ledger)
        .map(({ task, attempt }) => `${task} ${attempt}`)
        .filter((key) => !keys.has(key));
    };
    const none = await found(async () => ((await orphans()).length === 0 ? true : undefined), {
      withinMs: 10_000,
    });
    if (none !== true)
      for (const key of await orphans())
        verdict.broken.push(`the agent of ${key} lives, and its attempt is over (I15)`);
  },
});

/** Nothing whose time had not come happened, by the clock of the database, and no lease ended early. */
export const nothingEarly: Watcher = ({ house, verdict }) => ({
  async atRest() {
    const early = await house.sql<{ queue: string; jobId: string }[]>`
      select queue, job_id as "jobId" from outbox where published_at < not_before - interval '2 s'`;
    for (const { queue, jobId } of early)
      verdict.broken.push(`${jobId} was queued to ${queue} before its time (I19)`);
    const lost = await house.sql<{ name: string; reason: string | null }[]>`
      select t.name, a.reason from task_attempts a join tasks t on t.id = a.task_id where a.state = 'lost'`;
    for (const { name, reason } of lost)
      verdict.broken.push(`${name} was taken for lost while it worked: ${reason} (I18)`);
  },
});

/** Whoever follows the events of the owner hears each of a contract that began meanwhile, in order. */
export const feedIsWhole: Watcher = ({ house, verdict, say }) => {
  const over = new AbortController();
  const heard = new Map<string, number[]>();
  const following = (async () => {
    for await (const { contractId, seq } of followEvents(house.client, {
      after: 'now',
      signal: over.signal,
    })) {
      if (contractId === null || seq === null) continue;
      heard.set(contractId, [...(heard.get(contractId) ?? []), seq]);
    }
  })().catch((error: unknown) => void verdict.broken.push(`nobody could follow: ${String(error)}`));
  return {
    async atRest() {
      const missing = async (): Promise<string[]> => {
        const rows = await house.sql<{ id: string; last: number }[]>`
          select contract_id as id, max(seq)::int as last from events where contract_id is not null group by 1`;
        return rows.flatMap(({ id, last }) => {
          const seqs = heard.get(id) ?? [];
          // Only of what began after the follower did can it know everything.
          if (seqs[0] !== 1) return [];
          const gaps = seqs.filter((seq, n) => seq !== n + 1).slice(0, 3);
          return gaps.length === 0 && seqs.length === last
            ? []
            : [
                `of ${last} events of ${id} a follower heard ${seqs.length}, first out of order: ${gaps.join()}`,
              ];
        });
      };
      await found(async () => ((await missing()).length === 0 ? true : undefined), {
        withinMs: 15_000,
      });
      const whole = [...heard.values()].filter((seqs) => seqs[0] === 1);
      verdict.lost.push(...(await missing()).map((line) => `${line} (I10)`));
      if (whole.length === 0)
        verdict.broken.push('a follower heard of no contract that began (I10)');
      say(`a follower heard ${whole.flat().length} events of ${whole.length} contracts`);
      over.abort();
      await following;
    },
  };
};
