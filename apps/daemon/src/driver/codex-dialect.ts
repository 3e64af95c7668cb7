/**
 * The dialect of Codex's app-server: its start, its conversation's file, its messages and requests put together.
 *
 * Law: ready only when the conversation is open and somebody is signed in; what the file holds is told before
 * the end of the turn that wrote it, and all of it before the exit.
 */
import { completionWord, saysComplete } from '@makima/domain/rounds';
import { codexLimits } from './codex-limits.ts';
import type { CodexConversation } from './codex-conversation.ts';
import { messageIdOf, noConversation } from './codex-conversation.ts';
import type { CodexStory, CodexTurnEnd } from './codex-lines.ts';
import { endTurn, readNotification, wordsOf } from './codex-lines.ts';
import type { CodexMail } from './codex-mail.ts';
import { codexMail } from './codex-mail.ts';
import { codexRequests } from './codex-requests.ts';
import type { CodexRpc } from './codex-rpc.ts';
import { codexRpc } from './codex-rpc.ts';
import type { FileTail } from './codex-tail.ts';
import { fileTail } from './codex-tail.ts';
import { codexUsage } from './codex-usage.ts';
import type { Dialect, DialectLink } from './dialect.ts';
import type { AgentMessage, StartSpec } from './driver.ts';
import type { Json } from './json.ts';
import { isJson, jsonOf, objectOf, textOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export interface CodexDialectOptions {
  readonly spec: StartSpec;
  /** The one that is resumed. */
  readonly conversation: CodexConversation | null;
}

interface Desk extends CodexDialectOptions {
  readonly link: DialectLink;
  readonly rpc: CodexRpc;
  readonly tail: FileTail;
  readonly story: CodexStory;
}

export function codexDialect(link: DialectLink, options: CodexDialectOptions): Dialect {
  const log = (line: string) => link.emit({ t: 'log', stream: 'driver', line, cutBytes: 0 });
  const rpc = codexRpc({
    writeLine: (line) => link.writeLine(line),
    onFailure: (method, why) => log(`Codex refused ${method}: ${why.message}`),
  });
  const tail = fileTail((lines) => {
    link.emit({ t: 'transcript', lines, replace: false });
    for (const line of lines) {
      const id = messageIdOf(line);
      if (id !== null) mail.filed(id);
    }
  });
  const requests = codexRequests(link, {
    inputOf: (toolId) => story.openTools.get(toolId),
    tell: (text) => setImmediate(() => say(desk, { text })),
  });
  const story: CodexStory = {
    link,
    limits: codexLimits(link),
    usage: codexUsage(),
    openTools: new Map(),
    threadId: null,
    turnId: null,
    lastText: '',
    retrying: false,
    saidBefore: '',
    begun: false,
    unread: false,
    on: {
      turnOver(end) {
        tail.look();
        requests.turnOver();
        const tellEnd = () => whenFiled(mail, tail, () => endTurn(story, end));
        if (isLeftUnread(desk, mail, end)) remind(desk, mail, tellEnd);
        else tellEnd();
      },
      turnTold(turnId, { status }) {
        mail.turnOver(turnId);
        // What the turn ran goes on without this.
        if (status === 'interrupted') {
          rpc.call('thread/backgroundTerminals/clean', { threadId: story.threadId });
        }
      },
      resolved: (rpcId) => requests.resolved(rpcId),
      messageSeen: (messageId) => mail.seen(messageId),
    },
  };
  const desk: Desk = { ...options, link, rpc, tail, story };
  const mail = mailOf(desk);
  return {
    begin: () => begin(desk),
    read(text) {
      const line = jsonOf(text);
      if (line === null) {
        link.emit({ t: 'log', stream: 'stdout', line: text.slice(0, 2000), cutBytes: 0 });
      } else if (!rpc.read(line) && !requests.read(line)) {
        readNotification(story, line);
      }
      tail.look();
    },
    cut: ({ head }) => mend(story, head),
    opening(prompt) {
      if (prompt !== undefined) mail.post(prompt, 'next');
      return [];
    },
    message(message, when) {
      mail.post(message, when);
      return null;
    },
    interrupt: () => rpc.line('turn/interrupt', turnOf(story)),
    answer: (requestId, answer) => requests.answer(requestId, answer),
    ended: () => tail.end(),
  };
}

const turnOf = ({ threadId, turnId }: CodexStory): Json => ({ threadId, turnId });

function mailOf(desk: Desk): CodexMail {
  const { link, rpc, story, conversation } = desk;
  return codexMail({
    link,
    known: conversation?.messageIds ?? [],
    hand: (message, taken) => say(desk, message, { taken }),
    working: () => story.turnId !== null,
    interrupt: () => rpc.call('turn/interrupt', turnOf(story)),
  });
}

/**
 * A message that comes between the last request of a turn and its end is written into the conversation by Codex,
 * and the model is not asked about it.
 */
function isLeftUnread({ story }: Desk, mail: CodexMail, { status }: CodexTurnEnd): boolean {
  return status === 'completed' && story.unread && !mail.hasMore();
}

const reminder = 'The message above came in while your turn was ending. Read it now and act on it.';

const stillComplete = `If nothing is left to do then, end once more with a line that says only ${completionWord}.`;

/**
 * The turn goes on in a further one of Codex's: whoever hears of its end may rely on what was delivered. What it said
 * stands; when Codex does not go on, it has ended as it did (`tellEnd`).
 */
function remind(desk: Desk, mail: CodexMail, tellEnd: () => void): void {
  const { link, story } = desk;
  const turnId = story.turnId ?? '';
  story.turnId = null;
  story.saidBefore = wordsOf(story);
  story.lastText = '';
  const used = story.usage.turnEnds();
  if (used !== null) link.emit(used);
  mail.turnGoesOn(turnId);
  const text = saysComplete(story.saidBefore) ? `${reminder} ${stillComplete}` : reminder;
  say(desk, { text }, { refused: tellEnd });
}

const filedTries = 50;
const filedMs = 20;

/**
 * A turn's end is told when the messages that it read stand in the file: who is told of them may end the agent.
 * A file that does not follow is not waited for.
 */
function whenFiled(mail: CodexMail, tail: FileTail, then: () => void): void {
  let tries = 0;
  const look = () => {
    if (!mail.waitsForFile() || tries >= filedTries) return then();
    tries += 1;
    setTimeout(() => {
      tail.look();
      look();
    }, filedMs);
  };
  look();
}

interface Answers {
  /** Into that turn. */
  readonly taken?: (turnId: string) => void;
  /** It was not taken, and no turn runs; where nothing is given, this is the end of one that failed. */
  readonly refused?: () => void;
}

/**
 * Begins a turn with a message. While one runs, Codex takes it into that one (as `turn/steer` would, without
 * the need to name a turn that may just be over).
 */
function say(
  { link, rpc, story }: Desk,
  message: Pick<AgentMessage, 'text'> & Partial<AgentMessage>,
  { taken, refused }: Answers = {},
): void {
  const input = [{ type: 'text', text: message.text, text_elements: [] }];
  const params = { threadId: story.threadId, clientUserMessageId: message.id ?? null, input };
  rpc.call('turn/start', params, {
    done: (result) => taken?.(textOf(objectOf(result.turn).id) ?? ''),
    failed(why) {
      const error = { message: `Codex did not take the message: ${why.message}` };
      link.emit({ t: 'log', stream: 'driver', line: error.message, cutBytes: 0 });
      if (story.turnId !== null) return;
      if (refused === undefined) endTurn(story, { status: 'failed', error });
      else refused();
    },
  });
}

/** initialize, who is signed in, the conversation; each when the one before it was answered. */
function begin(desk: Desk): void {
  const { conversation, link, rpc, tail } = desk;
  if (conversation !== null) {
    // What was written before a kill may not have reached anybody.
    link.emit({ t: 'transcript', lines: conversation.lines, replace: true });
    const bytes = conversation.lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    tail.follow(conversation.path, bytes);
  }
  const clientInfo = { name: 'makima', title: 'makima', version: '1' };
  const params = { clientInfo, capabilities: { experimentalApi: true } };
  rpc.call('initialize', params, {
    done(result) {
      link.writeLine(JSON.stringify({ method: 'initialized' }));
      const version = /\/(\d+\.\d+\.\d+)/.exec(textOf(result.userAgent) ?? '')?.[1] ?? '';
      rpc.call(
        'account/read',
        { refreshToken: false },
        {
          done(account) {
            if (account.requiresOpenaiAuth === true && !isJson(account.account)) {
              link.fail(notSignedIn());
            } else openThread(desk, version);
          },
          failed: () => openThread(desk, version),
        },
      );
    },
    failed: (why) => link.fail(startFailure('exited', `Codex refused the start: ${why.message}`)),
  });
}

function notSignedIn(): Error {
  return startFailure('not_signed_in', 'Nobody is signed in to Codex.', {
    fix: 'Run "codex login" (with a key: "codex login --with-api-key").',
  });
}

function openThread(desk: Desk, version: string): void {
  const { conversation, link, rpc, spec, story, tail } = desk;
  const resumed = conversation !== null;
  const method = resumed ? 'thread/resume' : 'thread/start';
  const which = resumed ? { threadId: conversation.threadId, excludeTurns: true } : {};
  rpc.call(
    method,
    { ...which, ...threadOf(spec) },
    {
      done(result) {
        const thread = objectOf(result.thread);
        story.threadId = textOf(thread.id);
        if (!resumed) tail.follow(textOf(thread.path) ?? '', 0);
        const servers = spec.tools === undefined ? [] : [{ name: 'makima', status: 'configured' }];
        const model = textOf(result.model);
        const { sessionId } = spec;
        link.emit({ t: 'started', sessionId, model, tools: [], servers, version, resumed });
        link.ready();
      },
      failed(why) {
        const isLost = resumed && why.message.includes('no rollout found');
        const message = `Codex could not open the conversation: ${why.message}`;
        link.fail(isLost ? noConversation(spec.sessionId) : startFailure('exited', message));
      },
    },
  );
}

/** Its own sandbox would keep it from committing: a worktree's git directory lies outside of the directory. */
function threadOf(spec: StartSpec): Json {
  return {
    cwd: spec.cwd,
    approvalPolicy: spec.permission === 'ask' ? 'untrusted' : 'never',
    sandbox: spec.permission === 'plan' ? 'read-only' : 'danger-full-access',
    ...(spec.model === undefined ? {} : { model: spec.model }),
    ...(spec.systemAppend === undefined ? {} : { developerInstructions: spec.systemAppend }),
  };
}

/** A line that was too long to be read whole: what hangs on it is closed. */
function mend(story: CodexStory, head: string): void {
  if (head.includes('"method":"turn/completed"')) {
    endTurn(story, { status: 'completed', error: null });
  } else if (head.includes('"method":"item/completed"')) {
    const toolId = [...story.openTools.keys()].find((id) =>
      head.includes(`"id":${JSON.stringify(id)}`),
    );
    if (toolId === undefined) return;
    story.openTools.delete(toolId);
    const unseen = { ok: false, output: '', truncated: true, cause: 'unseen' as const };
    story.link.emit({ t: 'tool_end', toolId, ...unseen });
  }
}
