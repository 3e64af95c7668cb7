/** The real Claude Code passes the suite, against a model of ours on loopback. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchClaude } from '@makima/mock-model/fetch-agents';
import type { Scripts } from '@makima/mock-model/reply';
import { startMockModel } from '@makima/mock-model/server';
import { afterAll, describe, expect, it } from 'vitest';
import { claudeDriver } from './claude.ts';
import type { ToolForms } from './test-model.ts';
import { conformanceScripts, scriptPrompt } from './test-model.ts';
import type { Candidate } from './conformance-stage.ts';
import { git, onStage, said } from './conformance-stage.ts';
import { driverConformance } from './conformance.ts';
import type { AgentDriver, ToolCall } from './driver.ts';

const program = await fetchClaude();

const forms: ToolForms = {
  shell: (command) => ({ name: 'Bash', input: { command, description: 'A command' } }),
  echo: (value) => ({ name: 'mcp__makima__makima_echo', input: { value } }),
  ask: (question, options) => ({
    name: 'AskUserQuestion',
    input: {
      questions: [
        {
          question,
          header: 'DB',
          multiSelect: false,
          options: options.map((label) => ({ label, description: `It is ${label}` })),
        },
      ],
    },
  }),
};

const resetsAt = Math.floor(Date.now() / 1000) + 3600;

const scripts: Scripts = {
  ...conformanceScripts(forms),
  limited: [
    {
      error: { status: 429, type: 'rate_limit_error', message: 'Over the limit.' },
      headers: {
        'anthropic-ratelimit-unified-status': 'rejected',
        'anthropic-ratelimit-unified-reset': String(resetsAt),
        'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        'anthropic-ratelimit-unified-5h-status': 'rejected',
        'anthropic-ratelimit-unified-5h-reset': String(resetsAt),
        'anthropic-ratelimit-unified-5h-utilization': '1',
      },
    },
  ],
};

const model = await startMockModel({ scripts });
afterAll(() => model.close());

function driverIn(home: string, credential: Record<string, string>): AgentDriver {
  return claudeDriver({
    program,
    environment: {
      PATH: process.env.PATH,
      HOME: home,
      CLAUDE_CONFIG_DIR: join(home, '.claude'),
      CLAUDE_CODE_MAX_RETRIES: '1',
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_MODEL: 'claude-sonnet-4-5',
      DATABASE_URL: 'postgres://hunter2@x/y',
      MAKIMA_SECRET: 'hunter2',
      ...credential,
    },
  });
}

const hook = { type: 'command', command: 'touch snared' };

const candidate: Candidate = {
  name: 'claude',
  faults: scriptPrompt,
  open: (home) => ({
    driver: driverIn(home, { ANTHROPIC_API_KEY: 'test' }),
    prompt: scriptPrompt,
  }),
  hello: {
    tokens: { input: 1200, output: 50, cacheRead: 0, cacheWrite: 0 },
    costUsd: 0.00435,
  },
  limited: (home) => ({
    driver: driverIn(home, { CLAUDE_CODE_OAUTH_TOKEN: 'test' }),
    prompt: scriptPrompt('limited'),
  }),
  snare(repo) {
    mkdirSync(join(repo, '.claude'));
    const settings = { hooks: { SessionStart: [{ matcher: '', hooks: [hook] }] } };
    writeFileSync(join(repo, '.claude', 'settings.json'), JSON.stringify(settings));
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'settings');
  },
};

driverConformance(candidate);

describe('Claude Code’s own ways', () => {
  it('puts a call off when the guard says so, leaves, and makes it under the same id later', () =>
    onStage(candidate, async ({ start, subject, tools }) => {
      const seen: ToolCall[] = [];
      const first = await start({
        prompt: said(subject.prompt('tool')),
        guard: async (call) => {
          seen.push(call);
          return { verdict: 'defer' };
        },
      });
      expect(await first.until('turn_end')).toMatchObject({
        outcome: 'deferred',
        deferred: { toolId: seen[0]?.toolId },
      });
      expect(await first.until('exit')).toMatchObject({ code: 0, expected: true });
      expect(tools.calls).toEqual([]);

      const second = await start({ mode: 'resume', attempt: 2 });
      const turn = await second.until('turn_end');
      expect(turn.text).toContain('The tool said');
      expect(second.of('tool_end')).toMatchObject([{ ok: true, toolId: seen[0]?.toolId }]);
      expect(tools.calls.map((call) => call.toolId)).toEqual([seen[0]?.toolId]);
    }));

  it('starts tool servers of its repository only when trusted, and never takes its model from it', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const server = { command: 'sh', args: ['-c', 'touch "$OLDPWD/served" served; exit 1'] };
      writeFileSync(join(repo, '.mcp.json'), JSON.stringify({ mcpServers: { theirs: server } }));
      mkdirSync(join(repo, '.claude'));
      const elsewhere = { env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' } };
      writeFileSync(join(repo, '.claude', 'settings.json'), JSON.stringify(elsewhere));
      const wary = await start({ prompt: said(subject.prompt('hello')) });
      await wary.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(wary.of('started')).toMatchObject([{ servers: [{ name: 'makima' }] }]);
      expect(existsSync(join(repo, 'served'))).toBe(false);
      await wary.session.stop({ graceMs: 6000 });

      const prompt = said(subject.prompt('hello'));
      const trusting = await start({ sessionId: randomUUID(), trusted: true, prompt });
      expect(await trusting.until('turn_end')).toMatchObject({ outcome: 'completed' });
      const [started] = trusting.of('started');
      expect(started?.servers.map(({ name }) => name).toSorted()).toEqual(['makima', 'theirs']);
      expect(existsSync(join(repo, 'served'))).toBe(true);
    }));

  it('is not kept from a trusted repository by tool servers that cannot be read', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      writeFileSync(join(repo, '.mcp.json'), '{ "mcpServers": ');
      const agent = await start({ trusted: true, prompt: said(subject.prompt('hello')) });
      expect(await agent.until('turn_end')).toMatchObject({ outcome: 'completed' });
    }));
});
