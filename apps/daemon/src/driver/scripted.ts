/**
 * The driver of the scripted agent: a real process of ours that follows a script instead of a model, so that
 * the demo, the tests and bug reports run the same path as real agents and need no key.
 *
 * Law: no short cut: spawned, spoken to, killed and resumed like every other agent.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromAgent, StartLine, ToAgent } from '../scripted/protocol.ts';
import { scriptedVersion } from '../scripted/protocol.ts';
import type { Dialect, DialectLink } from './dialect.ts';
import type { AgentCaps, AgentDriver, StartSpec } from './driver.ts';
import { allowedEnvironment, checkedExtras, runEnvironment } from './environment.ts';
import { startSession } from './session.ts';
import { requireSpec } from './start-spec.ts';
import { startFailure } from './start-failure.ts';

export interface ScriptedDriverOptions {
  /** Where conversations are kept: one file each, over all runs. */
  readonly sessionsDir: string;
  /** The daemon's own environment, of which an allow list is passed on. */
  readonly environment: NodeJS.ProcessEnv;
}

const caps: AgentCaps = {
  inject: 'mid_turn',
  interrupt: true,
  resume: 'transcript',
  questions: true,
  permissions: true,
  toolIds: true,
  toolGate: false,
  park: true,
  turnLimits: false,
  rateLimits: true,
  retries: 'none',
  modelErrors: 'none',
  projectSettings: false,
  cost: 'usd',
  mirror: true,
};

const program = fileURLToPath(new URL('../scripted/main.ts', import.meta.url));

export function scriptedDriver(options: ScriptedDriverOptions): AgentDriver {
  return {
    kind: 'scripted',
    caps,
    probe: async () => ({
      kind: 'scripted',
      path: program,
      version: scriptedVersion,
      tested: true,
      signedIn: true,
      problem: null,
    }),
    async start(spec) {
      requireSpec(spec, caps);
      const sessionFile = await prepareSession(options, spec);
      const env = {
        ...allowedEnvironment(options.environment, []),
        ...checkedExtras(spec.env),
        ...runEnvironment(spec),
      };
      return startSession({
        kind: 'scripted',
        spec,
        env,
        command: process.execPath,
        args: [program],
        dialect: (link) => scriptedDialect(link, startLine(spec, sessionFile)),
      });
    },
  };
}

/** Where the conversation lies, after a transcript that was given has been written back. */
async function prepareSession(options: ScriptedDriverOptions, spec: StartSpec): Promise<string> {
  if (!/^[\w-]{1,100}$/.test(spec.sessionId)) {
    throw startFailure('bad_spec', `"${spec.sessionId}" is not a session id.`);
  }
  mkdirSync(options.sessionsDir, { recursive: true, mode: 0o700 });
  const path = join(options.sessionsDir, `${spec.sessionId}.jsonl`);
  if (spec.transcript === undefined) return path;
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    for await (const line of spec.transcript) await file.write(`${line}\n`);
  } finally {
    await file.close();
  }
  renameSync(`${path}.new`, path);
  return path;
}

function startLine(spec: StartSpec, sessionFile: string): StartLine {
  return {
    type: 'start',
    sessionId: spec.sessionId,
    mode: spec.mode,
    taskId: spec.taskId,
    attempt: spec.attempt,
    runId: spec.runId,
    sessionFile,
    toolsUrl: spec.tools?.url ?? null,
    model: spec.model ?? null,
    permission: spec.permission === 'ask' ? 'ask' : 'bypass',
  };
}

function scriptedDialect(link: DialectLink, start: StartLine): Dialect {
  const line = (toAgent: ToAgent) => JSON.stringify(toAgent);
  const asked = new Map<string, 'question' | 'permission'>();
  return {
    begin: () => link.writeLine(line(start)),
    read(text) {
      const told = parse(text);
      if (told === null) {
        link.emit({ t: 'log', stream: 'stdout', line: text.slice(0, 2000), cutBytes: 0 });
        return;
      }
      if (told.t === 'start_failed') {
        link.fail(startFailure(told.reason, told.message));
        return;
      }
      if (told.t === 'question' || told.t === 'permission') asked.set(told.requestId, told.t);
      if (told.t === 'request_cancelled') asked.delete(told.requestId);
      link.emit(told);
      if (told.t === 'started') link.ready();
    },
    cut: () => undefined,
    opening: (prompt) => [
      ...(prompt === undefined ? [] : [line({ type: 'message', ...prompt, when: 'next' })]),
      line({ type: 'go' }),
    ],
    message: (message, when) => line({ type: 'message', id: message.id, text: message.text, when }),
    interrupt: () => line({ type: 'interrupt' }),
    answer(requestId, answer) {
      if (asked.get(requestId) !== answer.kind) return null;
      asked.delete(requestId);
      if (answer.kind === 'question')
        return line({ type: 'answer', requestId, answers: answer.answers });
      const message = answer.allow ? '' : answer.message;
      return line({ type: 'permission', requestId, allow: answer.allow, message });
    },
    ended: () => undefined,
  };
}

/** The words that the agent may say; anything else is a stray line. */
const known: ReadonlySet<string> = new Set<FromAgent['t']>([
  'started',
  'state',
  'text',
  'tool_start',
  'tool_progress',
  'tool_end',
  'message',
  'question',
  'permission',
  'request_cancelled',
  'retry',
  'limit',
  'usage',
  'turn_end',
  'transcript',
  'compacted',
  'log',
  'start_failed',
]);

function parse(text: string): FromAgent | null {
  try {
    const value = JSON.parse(text) as FromAgent;
    return typeof value === 'object' && value !== null && known.has(value.t) ? value : null;
  } catch {
    return null;
  }
}
