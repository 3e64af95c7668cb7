/** The real Claude Code passes the suite, against a model of ours on loopback. */
import { join } from 'node:path';
import { fetchClaude } from '@makima/mock-model/fetch-agents';
import type { ModelRequest, Scripts } from '@makima/mock-model/reply';
import { startMockModel } from '@makima/mock-model/server';
import { afterAll, describe, expect, it } from 'vitest';
import { claudeDriver } from './claude.ts';
import type { Candidate } from './conformance-stage.ts';
import { git, onStage, said } from './conformance-stage.ts';
import { driverConformance } from './conformance.ts';
import type { AgentDriver, ToolCall } from './driver.ts';

const program = await fetchClaude();

const shell = (command: string) => ({
  text: 'I run a command.',
  tools: [{ name: 'Bash', input: { command, description: 'A command' } }],
});
const lastTool = ({ messages }: ModelRequest) =>
  messages.findLast((message) => message.role === 'tool')?.text ?? 'nothing';
/** Says again all that it was told; a message that comes while a tool runs stands beside its result. */
const heard = ({ messages }: ModelRequest) => ({
  text: `Heard: ${messages
    .filter((message) => message.role !== 'assistant')
    .map((message) => message.text)
    .join(' | ')}`,
});
const heardLast = ({ messages }: ModelRequest) => ({
  text: `Heard: ${messages.findLast((message) => message.role === 'user')?.text ?? ''}`,
});

const resetsAt = Math.floor(Date.now() / 1000) + 3600;

const scripts: Scripts = {
  hello: [{ text: 'Hello from a model that is long enough to be streamed in pieces.' }, heardLast],
  commit: [
    shell("printf 'hello\\n' > hello.txt && git add hello.txt && git commit -qm 'add hello'"),
    { text: 'Committed.' },
  ],
  tool: [
    { tools: [{ name: 'mcp__makima__makima_echo', input: { value: 'ping' } }] },
    (request) => ({ text: `Heard from the tool: ${lastTool(request)}` }),
  ],
  environment: [shell('env > env.txt; echo nice=$(nice) >> env.txt'), { text: 'Done.' }],
  question: [
    {
      tools: [
        {
          name: 'AskUserQuestion',
          input: {
            questions: [
              {
                question: 'Which database?',
                header: 'DB',
                multiSelect: false,
                options: [
                  { label: 'Postgres', description: 'the elephant' },
                  { label: 'SQLite', description: 'the feather' },
                ],
              },
            ],
          },
        },
      ],
    },
    (request) => ({ text: `You chose: ${lastTool(request)}` }),
  ],
  wait: [
    shell(
      'nohup setsid sleep 300 >/dev/null 2>&1 & touch started; while [ ! -e go ]; do sleep 0.02; done',
    ),
    heard,
  ],
  rate_limited_once: [
    {
      error: {
        status: 429,
        type: 'rate_limit_error',
        message: 'Slow down.',
        retryAfterSeconds: 0,
      },
      times: 1,
      text: 'Here I am.',
    },
  ],
  overloaded: [{ error: { status: 529, type: 'overloaded_error', message: 'Overloaded' } }],
  broken: [{ error: { status: 500, type: 'api_error', message: 'Internal server error' } }],
  cut: [{ text: 'This answer is cut in the middle of its stream of events.', cutAfterEvents: 4 }],
  cut_once: [{ text: 'This answer comes whole the second time.', cutAfterEvents: 4, times: 1 }],
  hanging: [{ hang: 'before_headers' }],
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

const candidate: Candidate = {
  name: 'claude',
  faults: (fault) => `[[script:${fault}]] Please.`,
  open: (home) => ({
    driver: driverIn(home, { ANTHROPIC_API_KEY: 'test' }),
    prompt: (deed) => `[[script:${deed}]] Please. Remember magenta.`,
  }),
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
      expect(turn.text).toContain('Heard');
      expect(second.of('tool_end')).toMatchObject([{ ok: true, toolId: seen[0]?.toolId }]);
      expect(tools.calls.map((call) => call.toolId)).toEqual([seen[0]?.toolId]);
    }));

  it('asks for permission when it may not act unasked', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const agent = await start({ permission: 'ask', prompt: said(subject.prompt('commit')) });
      const asked = await agent.until('permission');
      expect(asked).toMatchObject({ tool: 'Bash' });
      const no = {
        kind: 'permission' as const,
        allow: false as const,
        message: 'Not on a Friday.',
      };
      expect(await agent.session.answer(asked.requestId, no)).toBe(true);
      await agent.until('turn_end');
      expect(agent.of('tool_end')).toMatchObject([{ ok: false, cause: 'denied' }]);
      expect(git(repo, 'log', '--format=%s')).toBe('start');
    }));

  it('tells of a usage limit of the plan, and when it is over', () =>
    onStage(candidate, async ({ start, root }) => {
      const agent = await start({
        driver: driverIn(join(root, 'home-here'), { CLAUDE_CODE_OAUTH_TOKEN: 'test' }),
        prompt: said('[[script:limited]] Please.'),
      });
      expect(await agent.until('limit')).toMatchObject({
        status: 'rejected',
        window: 'five_hour',
        resetsAtMs: resetsAt * 1000,
      });
      expect(await agent.until('turn_end')).toMatchObject({
        outcome: 'failed',
        error: { kind: 'rate_limit', status: 429 },
      });
      await agent.until('state', ({ state }) => state === 'limited');
    }));
});
