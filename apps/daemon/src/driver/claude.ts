/**
 * The driver of Claude Code: the person's own `claude`, driven over its raw stream of JSON lines with the
 * control channel. In production its home and sign-in are the person's own.
 *
 * Law: isolated from the person's settings, and from the repository's unless it is trusted; one conversation is never run by
 * two processes (whoever starts one fences the other first).
 */
import { claudeArguments, claudeEnvironment, claudeNames } from './claude-arguments.ts';
import { claudeControl } from './claude-control.ts';
import type { ClaudeStory } from './claude-lines.ts';
import { readLine } from './claude-lines.ts';
import { findClaude, probeClaude } from './claude-probe.ts';
import type { TranscriptPlace } from './claude-transcript.ts';
import {
  readTranscript,
  requireTranscript,
  transcriptPlace,
  writeTranscript,
} from './claude-transcript.ts';
import { claudeTurn } from './claude-turn.ts';
import type { Dialect, DialectLink } from './dialect.ts';
import type { AgentCaps, AgentDriver, AgentMessage, StartSpec } from './driver.ts';
import { allowedEnvironment, checkedExtras, runEnvironment } from './environment.ts';
import { jsonOf } from './json.ts';
import { startSession } from './session.ts';
import { startFailure } from './start-failure.ts';
import { requireSpec } from './start-spec.ts';

export interface ClaudeDriverOptions {
  /** Absolute path of the program; default: the first `claude` on PATH. */
  readonly program?: string;
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
  toolGate: true,
  park: true,
  turnLimits: true,
  rateLimits: true,
  retries: 'told',
  modelErrors: 'status',
  projectSettings: true,
  cost: 'usd',
  mirror: true,
};

export function claudeDriver(options: ClaudeDriverOptions): AgentDriver {
  const own = allowedEnvironment(options.environment, claudeNames);
  return {
    kind: 'claude',
    caps,
    probe: () => probeClaude(own, options.program),
    async start(spec) {
      const command = findClaude(own, options.program);
      if (command === null) {
        throw startFailure('not_found', 'Claude Code was not found.', {
          fix: 'Install Claude Code, or set the path of its program in the daemon’s settings.',
        });
      }
      const env = {
        ...own,
        ...claudeEnvironment(spec),
        ...checkedExtras(spec.env),
        ...runEnvironment(spec),
      };
      requireSpec(spec, caps);
      const place = transcriptPlace(spec, env);
      const conversation = await prepare(spec, place);
      return startSession({
        kind: 'claude',
        spec,
        command,
        env,
        args: claudeArguments(spec, env),
        dialect: (link) => claudeDialect(link, { spec, place, conversation }),
      });
    },
  };
}

/** The conversation that is resumed (null for a new one), written back first when it was given. */
async function prepare(spec: StartSpec, place: TranscriptPlace): Promise<readonly string[] | null> {
  await writeTranscript(place, spec.transcript);
  if (spec.mode === 'resume') return requireTranscript(place, spec.sessionId);
  if (readTranscript(place, spec.sessionId) === null) return null;
  throw startFailure('in_use', `Session id ${spec.sessionId} is already in use.`);
}

function claudeDialect(
  link: DialectLink,
  options: {
    readonly spec: StartSpec;
    readonly place: TranscriptPlace;
    readonly conversation: readonly string[] | null;
  },
): Dialect {
  const { spec, place, conversation } = options;
  const turn = claudeTurn();
  const control = claudeControl(link, { guard: spec.guard, turn });
  const story: ClaudeStory = {
    link,
    turn,
    sessionId: spec.sessionId,
    resumed: spec.mode === 'resume',
    started: false,
    limited: false,
    retrying: false,
    blocks: new Map(),
    known: new Set(),
    read: new Set(),
  };
  const tellWhole = (lines: readonly string[] | null) => {
    if (lines !== null) link.emit({ t: 'transcript', lines, replace: true });
  };
  return {
    begin() {
      // What was written before a kill may not have reached anybody.
      tellWhole(conversation);
      control.initialize();
    },
    read(text) {
      const line = jsonOf(text);
      if (line === null)
        link.emit({ t: 'log', stream: 'stdout', line: text.slice(0, 2000), cutBytes: 0 });
      else if (!control.read(line)) readLine(story, line);
    },
    cut({ head }) {
      if (head.includes('"transcript_mirror"')) tellWhole(readTranscript(place, spec.sessionId));
      const toolId = /"tool_use_id"\s*:\s*"([^"]+)"/.exec(head)?.[1];
      if (toolId === undefined || !head.includes('"tool_result"')) return;
      const unseen = { ok: false, output: '', truncated: true, cause: 'unseen' as const };
      link.emit({ t: 'tool_end', toolId, ...unseen });
    },
    opening: (prompt) => (prompt === undefined ? [] : [messageLine(prompt, 'next')]),
    message(message, when) {
      // By itself it would wait for a program that runs: of the calls, it ends those alone that have not begun.
      if (when === 'now' && turn.running) link.writeLine(control.interrupt());
      return messageLine(message, when);
    },
    interrupt: () => control.interrupt(),
    answer: (requestId, answer) => control.answer(requestId, answer),
    ended: () => undefined,
  };
}

function messageLine(message: AgentMessage, when: 'now' | 'next' | 'later'): string {
  return JSON.stringify({
    type: 'user',
    uuid: message.id,
    session_id: '',
    parent_tool_use_id: null,
    priority: when,
    message: { role: 'user', content: [{ type: 'text', text: message.text }] },
  });
}
