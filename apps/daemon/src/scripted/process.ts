/**
 * The scripted agent's process: newline JSON on stdio, one conversation, no model.
 *
 * Law: it leaves at once when its input ends or it is told to (what it did is in its file), and takes what it
 * runs with it.
 */
import { createInterface } from 'node:readline';
import { scriptedAgent } from './agent.ts';
import type { Conversation } from './conversation.ts';
import { createConversation, openConversation } from './conversation.ts';
import type { Host } from './host.ts';
import { ledger as openLedger } from './ledger.ts';
import { mailbox as openMailbox } from './mailbox.ts';
import { mcpClient } from './mcp-client.ts';
import { progressOf } from './progress.ts';
import type { FromAgent, Permission, StartLine, ToAgent } from './protocol.ts';
import { scriptedVersion } from './protocol.ts';
import { killRunning } from './steps-files.ts';
import { verbNames } from './verbs.ts';

const emit = (line: FromAgent) => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

let environment: NodeJS.ProcessEnv = {};
let deaf = false;
let leave = (code: number): void => process.exit(code);

/** Hears what stands on its input until that ends. */
export function live(env: NodeJS.ProcessEnv): void {
  environment = env;
  process.on('SIGTERM', () => {
    if (!deaf) leave(143);
  });
  process.on('SIGINT', () => {
    if (!deaf) leave(130);
  });
  process.stdout.on('error', () => leave(0));
  let hear: (line: ToAgent) => void = (line) => {
    if (line.type === 'start') hear = begin(line);
  };
  const input = createInterface({ input: process.stdin });
  input.on('line', (text) => {
    const line = parsed(text);
    if (line !== null) hear(line);
  });
  input.on('close', () => {
    if (!deaf) leave(0);
  });
}

/** Opens the conversation and sets the agent going. Returns who hears the further lines. */
function begin(start: StartLine): (line: ToAgent) => void {
  const tell = (line: string) => emit({ t: 'transcript', lines: [line], replace: false });
  const open = start.mode === 'new' ? createConversation : openConversation;
  const conversation = open(start.sessionFile, start.sessionId, tell);
  if (conversation === null) {
    const missing = start.mode === 'resume';
    emit({
      t: 'start_failed',
      reason: missing ? 'no_conversation' : 'in_use',
      message: missing
        ? `No conversation found with session id ${start.sessionId}.`
        : `Session id ${start.sessionId} is already in use.`,
    });
    process.exit(1);
  }
  const { host, answer, permit } = hostOf(start, conversation);
  leave = (code) => {
    killRunning();
    host.ledger.note('exit', { code });
    process.exit(code);
  };
  emit({
    t: 'started',
    sessionId: start.sessionId,
    model: start.model,
    tools: verbNames,
    servers: start.toolsUrl === null ? [] : [{ name: 'makima', status: 'configured' }],
    version: scriptedVersion,
    resumed: start.mode === 'resume',
  });
  // The lines of before a kill may not have reached anybody.
  if (start.mode === 'resume') emit({ t: 'transcript', lines: conversation.lines, replace: true });
  host.ledger.note('start', { mode: start.mode });
  const agent = scriptedAgent(host, { scriptPath: environment.MAKIMA_SCRIPT });
  return (line) => {
    if (line.type === 'go') void agent.live();
    else if (line.type === 'interrupt') agent.interrupt();
    else if (line.type === 'answer') answer(line.requestId, line.answers);
    else if (line.type === 'permission') permit(line.requestId, line);
    else if (line.type === 'message') {
      host.mailbox.take({ id: line.id, text: line.text, later: line.when === 'later' });
      if (line.when === 'now') agent.hurry();
    }
  };
}

type Answers = Readonly<Record<string, readonly string[]>>;

function hostOf(
  start: StartLine,
  conversation: Conversation,
): {
  host: Host;
  answer: (requestId: string, answers: Answers) => void;
  permit: (requestId: string, permission: Permission) => void;
} {
  const answers = openDesk<Answers>();
  const permissions = openDesk<Permission>();
  const { taskId: task, attempt, runId: run, sessionId: session } = start;
  const host: Host = {
    start,
    cwd: process.cwd(),
    conversation,
    progress: progressOf(conversation),
    mailbox: openMailbox(conversation, emit),
    ledger: openLedger(environment.MAKIMA_LEDGER, { task, attempt, run, session }),
    tools:
      start.toolsUrl === null
        ? null
        : mcpClient({ url: start.toolsUrl, token: environment.MAKIMA_TOKEN ?? '' }),
    variables: { task, attempt, run, session, cwd: process.cwd() },
    emit,
    answerTo: answers.wait,
    permissionFor: permissions.wait,
    goDeaf() {
      deaf = true;
    },
  };
  return { host, answer: answers.give, permit: permissions.give };
}

/** Where those who asked wait for what they asked for. */
function openDesk<T>(): {
  wait: (requestId: string, signal: AbortSignal) => Promise<T>;
  give: (requestId: string, value: T) => void;
} {
  const waiting = new Map<string, (value: T) => void>();
  return {
    wait: (requestId, signal) =>
      new Promise((resolve, reject) => {
        waiting.set(requestId, resolve);
        signal.addEventListener('abort', () => reject(new Error('broken off')), { once: true });
      }),
    give(requestId, value) {
      waiting.get(requestId)?.(value);
      waiting.delete(requestId);
    },
  };
}

function parsed(text: string): ToAgent | null {
  try {
    return JSON.parse(text) as ToAgent;
  } catch {
    return null;
  }
}
