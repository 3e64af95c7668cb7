// A contract led by the real Gemini CLI, against a model of ours on loopback.
// Why: it speaks ACP, loses what it is told while it works, and does not load its conversations without help.
// Law: the story is that of every kind (`real-agent.ts`); here stands only how this one finds its model.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchGemini } from '@makima/mock-model/fetch-agents';
import { startMockModel, type MockModel } from '@makima/mock-model/server';
import { afterAll, beforeAll, describe } from 'vitest';
import { inOrder, openHouse, type House } from './house.ts';
import { greetingScripts, leadsAContract } from './real-agent.ts';

const program = await fetchGemini();

let house: House;
let model: MockModel;
const scratch = mkdtempSync(join(tmpdir(), 'makima-gemini-'));
beforeAll(async () => {
  model = await startMockModel({
    scripts: greetingScripts({
      shell: (command) => ({
        name: 'run_shell_command',
        input: { command, description: 'Write and commit' },
      }),
      prefix: 'mcp_makima_',
    }),
  });
  house = await openHouse({
    env: {
      HOME: scratch,
      MAKIMA_GEMINI_PATH: program,
      GEMINI_API_KEY: 'test',
      GEMINI_MODEL: 'gemini-2.5-pro',
      GOOGLE_GEMINI_BASE_URL: model.url,
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
    },
  });
});
afterAll(async () => {
  await house.close();
  await model.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('Gemini CLI', () => {
  inOrder(() => house);
  leadsAContract('gemini', () => ({ house, model }));
});
