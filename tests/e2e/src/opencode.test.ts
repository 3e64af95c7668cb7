// A contract led by the real opencode, against a model of ours on loopback.
// Why: it speaks ACP too, keeps its conversations in a database, and is slow to begin.
// Law: the story is that of every kind (`real-agent.ts`); here stands only how this one finds its model.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchOpencode } from '@makima/mock-model/fetch-agents';
import { startMockModel, type MockModel } from '@makima/mock-model/server';
import { afterAll, beforeAll, describe } from 'vitest';
import { inOrder, openHouse, type House } from './house.ts';
import { greetingScripts, leadsAContract } from './real-agent.ts';

const program = await fetchOpencode();

let house: House;
let model: MockModel;
const scratch = mkdtempSync(join(tmpdir(), 'makima-opencode-'));
beforeAll(async () => {
  model = await startMockModel({
    scripts: greetingScripts({
      shell: (command) => ({ name: 'bash', input: { command, description: 'Write and commit' } }),
      prefix: 'makima_',
    }),
  });
  // A person whose opencode asks our model.
  const folder = join(scratch, '.config', 'opencode');
  mkdirSync(folder, { recursive: true });
  const mock = {
    npm: '@ai-sdk/openai-compatible',
    options: { baseURL: `${model.url}/v1`, apiKey: 'test' },
    models: { m: { name: 'm', tool_call: true, limit: { context: 200_000, output: 8_000 } } },
  };
  const settings = { provider: { mock }, model: 'mock/m', small_model: 'mock/m' };
  writeFileSync(join(folder, 'opencode.json'), JSON.stringify(settings));
  house = await openHouse({
    env: {
      HOME: scratch,
      MAKIMA_OPENCODE_PATH: program,
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
    },
  });
});
afterAll(async () => {
  await house.close();
  await model.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('opencode', () => {
  inOrder(() => house);
  leadsAContract('opencode', () => ({ house, model }));
});
