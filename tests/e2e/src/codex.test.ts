// A contract led by the real Codex, against a model of ours on loopback.
// Why: it is driven by another protocol than Claude Code, and keeps its conversation elsewhere.
// Law: the story is that of every kind (`real-agent.ts`); here stands only how this one finds its model.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchCodex } from '@makima/mock-model/fetch-agents';
import { startMockModel, type MockModel } from '@makima/mock-model/server';
import { afterAll, beforeAll, describe } from 'vitest';
import { inOrder, openHouse, type House } from './house.ts';
import { greetingScripts, leadsAContract } from './real-agent.ts';

const program = await fetchCodex();

let house: House;
let model: MockModel;
const scratch = mkdtempSync(join(tmpdir(), 'makima-codex-'));
beforeAll(async () => {
  model = await startMockModel({
    scripts: greetingScripts({ shell: (cmd) => ({ name: 'exec_command', input: { cmd } }) }),
  });
  // A person signed in with a key, whose Codex asks our model.
  const home = join(scratch, '.codex');
  mkdirSync(home);
  const settings = `model = "gpt-5.3-codex"\nopenai_base_url = "${model.url}/v1"\n`;
  writeFileSync(join(home, 'config.toml'), settings);
  const signIn = { auth_mode: 'apikey', OPENAI_API_KEY: 'test' };
  writeFileSync(join(home, 'auth.json'), JSON.stringify(signIn));
  house = await openHouse({
    env: {
      HOME: scratch,
      MAKIMA_CODEX_PATH: program,
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
    },
  });
});
afterAll(async () => {
  await house.close();
  await model.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('Codex', () => {
  inOrder(() => house);
  leadsAContract('codex', () => ({ house, model }));
});
