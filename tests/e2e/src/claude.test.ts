// A contract led by the real Claude Code, against a model of ours on loopback.
// Why: it is the agent that most people use.
// Law: the story is that of every kind (`real-agent.ts`); here stands only how this one finds its model.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchClaude } from '@makima/mock-model/fetch-agents';
import { startMockModel, type MockModel } from '@makima/mock-model/server';
import { afterAll, beforeAll, describe } from 'vitest';
import { inOrder, openHouse, type House } from './house.ts';
import { greetingScripts, leadsAContract, type GreetingForms } from './real-agent.ts';
import { isResumedByAPerson, notesScripts } from './resumed-agent.ts';

const program = await fetchClaude();
const shell: GreetingForms['shell'] = (command) => ({
  name: 'Bash',
  input: { command, description: 'Write and commit' },
});

let house: House;
let model: MockModel;
const scratch = mkdtempSync(join(tmpdir(), 'makima-claude-'));
beforeAll(async () => {
  model = await startMockModel({
    scripts: { ...greetingScripts({ shell }), ...notesScripts({ shell }) },
  });
  house = await openHouse({
    env: {
      HOME: scratch,
      MAKIMA_CLAUDE_PATH: program,
      CLAUDE_CONFIG_DIR: join(scratch, '.claude'),
      CLAUDE_CODE_MAX_RETRIES: '1',
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: 'test',
      ANTHROPIC_MODEL: 'claude-sonnet-4-5',
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
    },
  });
});
afterAll(async () => {
  await house.close();
  await model.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('Claude Code', () => {
  inOrder(() => house);
  leadsAContract('claude', () => ({ house, model }));
  isResumedByAPerson('claude', () => ({ house, model }));
});
