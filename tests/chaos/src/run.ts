// A chaos run: contracts one after the other, the nemesis beside them, then rest, then the checker.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@makima/client/client';
import { startTestStack } from '@makima/stack/test-stack';
import { chanceOf } from './chance.ts';
import { checkEverything, type Verdict } from './checker.ts';
import { readLedger } from './ledger.ts';
import { nemesisOf, type Fault, type FaultKind } from './nemesis.ts';
import { deliveredPieces, piecesPerContract, startContract, type Started } from './scenario.ts';

export interface ChaosRun {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly FaultKind[];
  readonly contracts: number;
  readonly say: (line: string) => void;
  readonly keepLogsIn?: string;
}

export interface ChaosResult extends Verdict {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly contracts: { readonly started: number; readonly completed: number };
  readonly restorations: number;
  readonly seconds: number;
}

const restMs = 90_000;
const mostlyCompleted = 0.8;

export async function runChaos(options: ChaosRun): Promise<ChaosResult> {
  const began = performance.now();
  const chance = chanceOf(options.seed);
  let failed = true;
  const scratch = mkdtempSync(join(tmpdir(), 'makima-ledger-'));
  const ledger = join(scratch, 'ledger.jsonl');
  const house = await startTestStack({
    env: { LOG_LEVEL: 'info', MAKIMA_MAX_TASKS: '12', MAKIMA_LEDGER: ledger },
    keepLogsIn: () => (failed ? options.keepLogsIn : undefined),
  });
  const client = createClient({ baseUrl: house.url, key: house.ownerKey });
  const nemesis = nemesisOf(house.stack, chance, ledger);
  const faults: Fault[] = [];
  const over = new AbortController();
  const calm = AbortSignal.any([over.signal, AbortSignal.timeout(options.seconds * 1_000)]);
  try {
    const struck = strikeUntil(calm, {
      chance,
      kinds: options.faults,
      nemesis,
      faults,
      say: options.say,
    });
    const person = answerUntil(over.signal, client);
    const contracts = await contractsUntil(client, house.dir, options, began);
    over.abort();
    await Promise.all([struck, person]);
    await rest(client, contracts, options.say);
    const verdict = await checkEverything(house.stack.addresses.databaseUrl, readLedger(ledger));
    const completed = await countCompleted(client, contracts, verdict);
    failed = verdict.lost.length + verdict.doubled.length + verdict.broken.length > 0;
    return {
      seed: options.seed,
      faults: countBy(faults),
      contracts: { started: contracts.length, completed },
      restorations: await countRestorations(client, contracts),
      ...verdict,
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  } finally {
    over.abort();
    await nemesis.close();
    await house.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Strikes {
  readonly chance: ReturnType<typeof chanceOf>;
  readonly kinds: readonly FaultKind[];
  readonly nemesis: ReturnType<typeof nemesisOf>;
  readonly faults: Fault[];
  readonly say: (line: string) => void;
}

/** Every kind in turn, in a seeded order, each at a seeded moment. */
async function strikeUntil(signal: AbortSignal, strikes: Strikes): Promise<void> {
  while (!signal.aborted) {
    for (const kind of strikes.kinds.toSorted(() => strikes.chance.next() - 0.5)) {
      await pause(strikes.chance.between(300, 2_500), signal);
      if (signal.aborted) return;
      const fault = await strikes.nemesis.strike(kind);
      if (fault === null) continue;
      strikes.faults.push(fault);
      strikes.say(`fault: ${kind}${fault.pid === null ? '' : ` (pid ${fault.pid})`}`);
    }
  }
}

/** A person who answers whatever is open, as soon as the API lets them. */
async function answerUntil(signal: AbortSignal, client: Client): Promise<void> {
  while (!signal.aborted) {
    await answerOpen(client).catch(() => {});
    await pause(250, signal);
  }
}

async function answerOpen(client: Client): Promise<void> {
  const { items } = await client.call('listQuestions', { query: { status: 'open' } });
  for (const question of items) {
    await client.call('answerQuestion', {
      params: { id: question.id },
      body: { response: question.choices[0] ?? 'yes' },
    });
  }
}

async function contractsUntil(
  client: Client,
  dir: string,
  options: ChaosRun,
  began: number,
): Promise<Started[]> {
  const all: Started[] = [];
  const line = async (index: number): Promise<void> => {
    for (let n = 0; performance.now() - began < options.seconds * 1_000; n++) {
      const started = await startContract(client, dir, `c${index}-${n}`, 60);
      all.push(started);
      await ended(client, started, options.say);
    }
  };
  await Promise.all(Array.from({ length: options.contracts }, (_, index) => line(index)));
  return all;
}

async function ended(client: Client, started: Started, say: (line: string) => void): Promise<void> {
  const limit = performance.now() + restMs;
  while (performance.now() < limit) {
    const contract = await client
      .call('getContract', { params: { id: started.id } })
      .catch(() => null);
    if (
      contract !== null &&
      ['completed', 'failed', 'archived', 'blocked'].includes(contract.status)
    ) {
      say(`${started.slug}: ${contract.status}`);
      return;
    }
    await pause(200);
  }
  say(`${started.slug}: did not end in ${restMs / 1_000} s: ${await whyNot(client, started)}`);
}

async function whyNot(client: Client, started: Started): Promise<string> {
  const [why, status] = await Promise.all([
    client.call('whyContract', { params: { id: started.id } }),
    client.call('supervisorStatus', { params: { id: started.id } }),
  ]);
  const output = await client.call('listTaskOutput', {
    params: { id: status.task_id },
    query: { limit: 200 },
  });
  const last = output.items
    .slice(-6)
    .map((line) => `${line.messageType}: ${line.content.slice(0, 300)}`);
  return [why.summary, `supervisor ${status.state} (${status.current_activity})`, ...last].join(
    '\n    ',
  );
}

/** Without faults, everything ends; then the outbox has drained. */
async function rest(
  client: Client,
  contracts: readonly Started[],
  say: (line: string) => void,
): Promise<void> {
  const resting = new AbortController();
  const person = answerUntil(resting.signal, client);
  for (const started of contracts) await ended(client, started, say);
  resting.abort();
  await person;
}

async function countCompleted(
  client: Client,
  contracts: readonly Started[],
  verdict: Verdict,
): Promise<number> {
  let completed = 0;
  for (const started of contracts) {
    const { status, failureReason, blockedReason } = await client.call('getContract', {
      params: { id: started.id },
    });
    if (status === 'blocked' && blockedReason?.startsWith('Restored ') === true) continue;
    if (status !== 'completed') {
      verdict.broken.push(
        `${started.slug} ended as ${status}: ${failureReason ?? blockedReason ?? 'no reason'}`,
      );
      continue;
    }
    completed += 1;
    const pieces = deliveredPieces(started);
    if (pieces !== piecesPerContract)
      verdict.lost.push(`${started.slug}: ${pieces} of ${piecesPerContract} pieces were delivered`);
  }
  // A run in which everything was stopped for a person to look would pass trivially.
  if (completed < mostlyCompleted * contracts.length) {
    verdict.broken.push(`only ${completed} of ${contracts.length} contracts completed`);
  }
  return completed;
}

async function countRestorations(client: Client, contracts: readonly Started[]): Promise<number> {
  let sum = 0;
  for (const started of contracts)
    sum += (await client.call('supervisorStatus', { params: { id: started.id } }))
      .restoration_count;
  return sum;
}

function countBy(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fault of faults) counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
  return counts;
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}
