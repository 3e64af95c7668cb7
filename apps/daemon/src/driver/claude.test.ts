/** The real Claude Code passes the suite, against a model of ours on loopback. */
import { join } from 'node:path';
import { fetchClaude } from '@makima/mock-model/fetch-agents';
import type { ModelRequest, Scripts } from '@makima/mock-model/reply';
import { startMockModel } from '@makima/mock-model/server';
import { afterAll } from 'vitest';
import { claudeDriver } from './claude.ts';
import { driverConformance } from './conformance.ts';

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

const scripts: Scripts = {
  hello: [{ text: 'Hello from a model that is long enough to be streamed in pieces.' }, heardLast],
  commit: [
    shell("printf 'hello\\n' > hello.txt && git add hello.txt && git commit -qm 'add hello'"),
    { text: 'Committed.' },
  ],
  tool: [
    { tools: [{ name: 'mcp__makima__makima_echo', input: { value: 'ping' } }] },
    (request) => ({ text: `The tool said ${lastTool(request)}` }),
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
  cut: [{ text: 'This answer is cut in the middle of its stream of events.', cutAfterEvents: 3 }],
  hanging: [{ hang: 'before_headers' }],
};

const model = await startMockModel({ scripts });
afterAll(() => model.close());

driverConformance({
  name: 'claude',
  faults: (fault) => `[[script:${fault}]] Please.`,
  open: (home) => ({
    driver: claudeDriver({
      program,
      environment: {
        PATH: process.env.PATH,
        HOME: home,
        CLAUDE_CONFIG_DIR: join(home, '.claude'),
        CLAUDE_CODE_MAX_RETRIES: '1',
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: 'test',
        ANTHROPIC_MODEL: 'claude-sonnet-4-5',
        DATABASE_URL: 'postgres://hunter2@x/y',
        MAKIMA_SECRET: 'hunter2',
      },
    }),
    prompt: (deed) => `[[script:${deed}]] Please. Remember magenta.`,
  }),
});
