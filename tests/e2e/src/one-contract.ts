// One contract against a makima that runs elsewhere: created, answered and seen to its end by HTTP alone.
// Why: containers, packages and other people's servers are proven by the main job, not by a health check.
// Law: speaks to the address it is given and to nothing else; the last line is JSON, the exit code the outcome.
// Usage: MAKIMA_TOKEN=<key> node tests/e2e/src/one-contract.ts <url of the API> <folder for the repository>
import { followEvents } from '@makima/client/follow-events';
import { createClient, type Client } from '@makima/client/client';
import { deliveredPieces, startContract } from '@makima/test-chaos/scenario';

const patienceMs = 120_000;
const stepMs = 50;
const ends: ReadonlySet<unknown> = new Set(['completed', 'failed', 'archived', 'blocked']);

async function main([url, folder]: readonly string[]): Promise<number> {
  const key = process.env['MAKIMA_TOKEN'];
  if (url === undefined || folder === undefined || key === undefined) {
    process.stderr.write('Usage: MAKIMA_TOKEN=<key> node one-contract.ts <url> <folder>\n');
    return 2;
  }
  const began = performance.now();
  const client = createClient({ baseUrl: url, key });
  const started = await startContract(client, folder, `contract-${process.pid}`, stepMs);
  const signal = AbortSignal.timeout(patienceMs);
  let status = 'still active';
  let answers = 0;
  for await (const { type, data } of followEvents(client, { contractId: started.id, signal })) {
    process.stderr.write(`  ${type}\n`);
    if (type === 'question.asked') answers += await answerOpen(client, started.id);
    if (type !== 'contract.status_changed' || !ends.has(data['to'])) continue;
    status = String(data['to']);
    break;
  }
  const pieces = deliveredPieces(started);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  process.stdout.write(
    `${JSON.stringify({ contract: started.id, status, answers, pieces, seconds })}\n`,
  );
  return status === 'completed' && pieces > 0 ? 0 : 1;
}

async function answerOpen(client: Client, contractId: string): Promise<number> {
  const { items } = await client.call('listQuestions', { query: { contractId, status: 'open' } });
  for (const { id, choices } of items) {
    await client.call('answerQuestion', {
      params: { id },
      body: { response: choices[0] ?? 'yes' },
    });
  }
  return items.length;
}

process.exitCode = await main(process.argv.slice(2));
