/**
 * The dialect of every agent that speaks ACP: opens its session (a new one, its own again, or a fresh one that
 * is told the record), then carries turns, permissions and what it tells.
 *
 * Law: whether a resume is native or seeded makes no difference to whoever uses the session: the same ids are
 * known, the same words stand in the conversation.
 */
import type { McpServer } from '@agentclientprotocol/sdk';
import { PROTOCOL_VERSION } from '@agentclientprotocol/sdk';
import { failureOf } from './acp-failure.ts';
import type { AcpPermissions } from './acp-permission.ts';
import { acpPermissions } from './acp-permission.ts';
import type { AcpLaunch, AcpLoad, AcpProfile, OpenSession } from './acp-profile.ts';
import type { AcpRecord, RecordLine } from './acp-record.ts';
import { storyOf } from './acp-record.ts';
import { seedOf } from './acp-seed.ts';
import type { AcpStory } from './acp-story.ts';
import { acpStory } from './acp-story.ts';
import type { AcpTurns, RetryOptions } from './acp-turns.ts';
import { acpTurns, totalOf } from './acp-turns.ts';
import type { AcpWire } from './acp-wire.ts';
import { acpWire } from './acp-wire.ts';
import type { Dialect, DialectLink } from './dialect.ts';
import type { StartSpec } from './driver.ts';
import type { Json } from './json.ts';
import { isJson, numberOf, objectOf, textOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export interface AcpDialectOptions {
  readonly spec: StartSpec;
  readonly profile: AcpProfile;
  readonly launch: AcpLaunch;
  readonly record: AcpRecord;
  readonly retry: RetryOptions;
}

interface Desk extends AcpDialectOptions {
  readonly link: DialectLink;
  readonly wire: AcpWire;
  readonly turns: AcpTurns;
  readonly story: AcpStory;
  readonly permissions: AcpPermissions;
  readonly write: (line: RecordLine) => void;
  /** The last message given before this process came: it may have died before the agent read it. */
  readonly doubtful: { readonly id: string; readonly text: string } | null;
  /** What the agent's own session tells of its past while it is loaded. */
  readonly past: Past;
  news: { close(): void } | null;
}

export function acpDialect(link: DialectLink, options: AcpDialectOptions): Dialect {
  const desk = deskOf(link, options);
  const { turns, permissions, wire, story, record } = desk;
  let over = false;
  const cancel = () => {
    permissions.cancel();
    turns.cancel();
  };
  return {
    begin() {
      if (options.spec.mode === 'resume') {
        link.emit({ t: 'transcript', lines: record.before, replace: true });
      }
      for (const line of options.launch.notes) {
        link.emit({ t: 'log', stream: 'driver', line, cutBytes: 0 });
      }
      open(desk).catch((cause: unknown) => {
        // That the process ended is told with its last words, not as a request that nobody answers.
        if (!over) link.fail(asStartFailure(cause));
      });
    },
    read: (line) => wire.read(line),
    cut: () => undefined,
    opening(prompt) {
      if (prompt !== undefined) turns.message(prompt, 'next');
      return [];
    },
    message(message, when) {
      if (when === 'now') permissions.cancel();
      turns.message(message, when);
      return null;
    },
    interrupt() {
      cancel();
      return null;
    },
    answer(requestId, answer) {
      return permissions.answer(requestId, answer) || null;
    },
    ended() {
      over = true;
      desk.news?.close();
      wire.close();
      turns.end();
      story.close('unseen');
      record.close();
    },
  };
}

function deskOf(link: DialectLink, options: AcpDialectOptions): Desk {
  const { record, profile, spec, retry } = options;
  const before = storyOf(record.before);
  const last = before.at(-1);
  const doubtful = last?.t === 'user' ? last : null;
  const known = new Set(before.flatMap((line) => (line.t === 'user' ? [line.id] : [])));
  // Nothing was seen after it: when it is said again, it is meant to be done.
  if (doubtful !== null) known.delete(doubtful.id);
  const write = (line: RecordLine) => {
    link.emit({ t: 'transcript', lines: [record.append(line)], replace: false });
  };
  const stray = (line: string) =>
    link.emit({ t: 'log', stream: 'stdout', line: line.slice(0, 2000), cutBytes: 0 });
  const turns = acpTurns({
    link,
    profile,
    retry,
    known,
    record: write,
    story: () => story,
    total: totalOf(before),
  });
  const story = acpStory({ link, profile, record: write, isBroken: () => turns.isBroken() });
  const permissions = acpPermissions({
    link,
    permission: spec.permission,
    story: () => story,
    remark: (text) => turns.remark(text),
  });
  const past = pastOf(options.launch);
  const wire = acpWire({
    stray,
    writeLine: (line) => link.writeLine(line),
    permission: (request) => permissions.ask(request),
    update(update) {
      if (update.sessionUpdate === 'user_message_chunk') {
        past.hear(textOf(objectOf(update.content).text) ?? '');
      }
      turns.answered();
      story.read(update);
    },
  });
  const parts = { link, wire, turns, story, permissions, write, doubtful, past };
  return { ...options, ...parts, news: null };
}

/** From the first word to readiness. */
async function open(desk: Desk): Promise<void> {
  const { wire, link, spec, launch, turns } = desk;
  const hello = await wire.agent.request('initialize', {
    protocolVersion: PROTOCOL_VERSION,
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    clientInfo: { name: 'makima', version: '1' },
  });
  const agent: Json = isJson(hello) ? hello : {};
  if (numberOf(agent.protocolVersion) !== PROTOCOL_VERSION) {
    throw startFailure('exited', 'The agent speaks another version of ACP.', {
      fix: `Install one that speaks version ${PROTOCOL_VERSION}.`,
    });
  }
  const can = objectOf(agent.agentCapabilities);
  const servers = serversOf(desk);
  if (servers.length > 0 && objectOf(can.mcpCapabilities).http !== true) {
    throw startFailure('bad_spec', 'The agent takes no tool servers over HTTP.', {
      fix: 'Use an agent that does: without its tools makima cannot be told of its work.',
    });
  }
  const { session, preface } = await sessionOf(desk, can.loadSession === true);
  await launch.settle(session);
  desk.news = launch.news?.(session, turns.news) ?? null;
  link.emit({
    t: 'started',
    sessionId: spec.sessionId,
    model: spec.model ?? null,
    tools: [],
    servers: servers.map(({ name }) => ({ name, status: 'given' })),
    version: textOf(objectOf(agent.agentInfo).version) ?? '',
    resumed: spec.mode === 'resume',
  });
  link.emit({ t: 'state', state: 'idle' });
  link.ready();
  turns.open(session, preface);
}

interface Opened {
  readonly session: OpenSession;
  /** What must be said before the first message. */
  readonly preface: string;
}

/** The agent's own session where it can be loaded, else a fresh one that is told what was said. */
async function sessionOf(desk: Desk, canLoad: boolean): Promise<Opened> {
  const { launch, record, write } = desk;
  if (launch.load !== null && canLoad) {
    const opened = await loaded(desk, launch.load);
    if (opened !== null) return opened;
  }
  const seed = seedOf(storyOf(record.before));
  const session = await fresh(desk);
  write({ t: 'opened', agentSession: session.sessionId, seeded: seed !== null });
  const parts = [launch.preface, seed].filter((part) => part !== null);
  return { session, preface: parts.join('\n\n') };
}

/** Null when the agent does not know its own session any more. */
async function loaded(desk: Desk, { sessionId }: AcpLoad): Promise<Opened | null> {
  const { wire, spec, link, past } = desk;
  try {
    const request = { sessionId, cwd: spec.cwd, mcpServers: serversOf(desk) };
    const opened: unknown = await wire.agent.request('session/load', request);
    await past.over();
    const session = { agent: wire.agent, sessionId, opened: isJson(opened) ? opened : {} };
    return { session, preface: lostOf(desk) };
  } catch (cause) {
    const { message } = failureOf(cause).error;
    const line = `The agent does not find its session ${sessionId} (${message}); a fresh one is told the record.`;
    link.emit({ t: 'log', stream: 'driver', line, cutBytes: 0 });
    return null;
  }
}

/** What stands in the record and not in the agent's own conversation, for its process died in between. */
function lostOf({ record, doubtful, past }: Desk): string {
  const story = storyOf(record.before);
  const ended = new Set(story.flatMap((line) => (line.t === 'result' ? [line.toolId] : [])));
  const call = story.findLast((line) => line.t === 'call');
  const lost: string[] = [];
  if (call !== undefined && !ended.has(call.toolId)) {
    lost.push(
      `[Your process was replaced while a tool of yours ran: ${call.title}. Its outcome is unknown; check whether it took effect.]`,
    );
  }
  if (doubtful !== null && !past.heard(doubtful.text)) {
    const why = '[Your process was replaced before you could read this message:]';
    lost.push(`${why}\n\n${doubtful.text}\n\n[Now:]`);
  }
  return lost.join('\n\n');
}

interface Past {
  hear(text: string): void;
  heard(text: string): boolean;
  /** Resolves when all of the past was told, or (an agent changes its ways) when nothing more is expected. */
  over(): Promise<void>;
}

const longestPastMs = 5_000;

function pastOf({ load }: AcpLaunch): Past {
  const told: string[] = [];
  const end = Promise.withResolvers<void>();
  const mark = load?.pastEnds ?? null;
  if (mark === null) end.resolve();
  return {
    hear(text) {
      told.push(text);
      if (mark !== null && text.includes(mark)) end.resolve();
    },
    heard: (text) => told.some((words) => words.includes(text.trim())),
    async over() {
      const timer = setTimeout(() => end.resolve(), longestPastMs);
      await end.promise;
      clearTimeout(timer);
    },
  };
}

async function fresh(desk: Desk): Promise<OpenSession> {
  const { wire, spec } = desk;
  const request = { cwd: spec.cwd, mcpServers: serversOf(desk) };
  const opened: unknown = await wire.agent.request('session/new', request);
  const sessionId = isJson(opened) ? textOf(opened.sessionId) : null;
  if (sessionId === null)
    throw startFailure('exited', 'The agent opened a session without a name.');
  return { agent: wire.agent, sessionId, opened: objectOf(opened) };
}

function serversOf({ spec: { tools }, launch }: Desk): McpServer[] {
  if (tools === undefined || !launch.takesTools) return [];
  const headers = [{ name: 'Authorization', value: `Bearer ${tools.token}` }];
  return [{ type: 'http', name: 'makima', url: tools.url, headers }];
}

function asStartFailure(cause: unknown): Error {
  if (cause instanceof Error && cause.name === 'MakimaError') return cause;
  const { error } = failureOf(cause);
  const reason = error.kind === 'auth' ? 'not_signed_in' : 'exited';
  return startFailure(reason, `The agent refused the start: ${error.message}`, { cause });
}
