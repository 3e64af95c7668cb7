/**
 * The scripted agent's life: takes a prompt, runs the turn that its script describes, then waits for messages,
 * each of which may begin a further turn.
 *
 * Law: one turn at a time; a turn that was cut by a kill goes on by itself after a resume, one that was broken
 * off in order goes on with the next message.
 */
import type { Host } from './host.ts';
import { TurnOver } from './host.ts';
import type { BreakReason, Walk } from './interpreter.ts';
import { runSteps } from './interpreter.ts';
import { readMail, sayLine } from './mail.ts';
import type { Letter } from './mailbox.ts';
import { openTurn, turnCount } from './progress.ts';
import type { Script } from './script.ts';
import { parseScript } from './script.ts';
import { selectScript } from './select.ts';
import { completed, endingOf, endTurn, lastEnding } from './turn-end.ts';

export interface Agent {
  /** Runs until the process is ended from outside. */
  live(): Promise<never>;
  interrupt(): void;
  /** A message came that cannot wait for the step's end. */
  hurry(): void;
}

export function scriptedAgent(
  host: Host,
  options: { readonly scriptPath: string | undefined },
): Agent {
  let step: AbortController | null = null;
  let broken: BreakReason | null = null;
  const breakStep = (reason: BreakReason) => {
    if (broken === 'interrupt') return;
    broken = reason;
    step?.abort(reason);
  };
  const walk: Walk = {
    host,
    redoes: false,
    stepSignal() {
      step = new AbortController();
      if (broken === 'interrupt') step.abort(broken);
      return step.signal;
    },
    pause() {
      if (broken === 'message') broken = null;
      readMail(host);
      if (broken === 'interrupt') throw new TurnOver('interrupted', '');
    },
  };
  const turn = async () => {
    broken = null;
    await runTurn(walk, options);
    step = null;
  };
  return {
    async live() {
      const restored = host.mailbox.restored();
      if (restored !== null) host.variables.restored = restored;
      const open = openTurn(host.conversation.entries);
      if (open !== null && !open.waits) await turn();
      else host.emit({ t: 'state', state: 'idle' });
      for (;;) {
        await host.mailbox.arrival({ between: true });
        await turn();
      }
    },
    interrupt: () => breakStep('interrupt'),
    hurry: () => breakStep('message'),
  };
}

async function runTurn(
  walk: Walk,
  options: { readonly scriptPath: string | undefined },
): Promise<void> {
  const { host } = walk;
  const { conversation } = host;
  const open = openTurn(conversation.entries);
  const first = turnCount(conversation.entries) === 0;
  const n = open?.n ?? turnCount(conversation.entries) + 1;
  const key = open?.key ?? (first ? 'script' : 'messages');
  host.emit({ t: 'state', state: 'working' });
  if (open === null || open.waits) conversation.append({ t: 'turn', n, key });
  const ending = await endingOf(async () => {
    readMail(host, { between: true });
    const moves = newMoves(host);
    const isScript = key === 'script' || (moves.length > 0 && scriptIsDone(host));
    // Nothing but a notice: what was said at the end of the last turn may not have been heard.
    if (!isScript && host.mailbox.open().length === 0) return lastEnding(host);
    const script = scriptOf(host, options);
    walk.redoes = moves.length > 0;
    const ending = await endingOf(async () => {
      if (isScript) await runSteps(walk, script.steps, 'script');
      return completed;
    });
    walk.redoes = false;
    if (ending.outcome === 'completed') {
      for (const { id } of moves) host.progress.end(`moved/${id}`, null);
      await answerLetters(walk, script);
    }
    return ending;
  });
  endTurn(host, n, ending);
}

/** Words of a new directory that were not acted on to the end. */
function newMoves(host: Host): readonly Letter[] {
  return host.mailbox.moves().filter(({ id }) => host.progress.ended(`moved/${id}`) === null);
}

/** Its first turn, which the script is, ended well. */
function scriptIsDone({ conversation }: Host): boolean {
  const first = conversation.entries.find((entry) => entry.t === 'turn' && entry.key === 'script');
  const ends = conversation.entries.filter((entry) => entry.t === 'turn_end');
  return (
    first?.t === 'turn' && ends.some(({ n, outcome }) => n === first.n && outcome === 'completed')
  );
}

/** Runs `on_message` for each letter that no `wait_message` took. */
async function answerLetters(walk: Walk, script: Script): Promise<void> {
  const { host } = walk;
  for (;;) {
    readMail(host);
    const letter = host.mailbox.oldest('');
    if (letter === null) return;
    const key = `on/${letter.id}`;
    host.variables.message = { id: letter.id, text: letter.text };
    if (script.onMessage === null)
      sayLine(host, `${key}/noted`, `Noted: ${firstLine(letter.text)}`);
    else {
      try {
        await runSteps(walk, script.onMessage, key);
      } catch (cause) {
        // "done" inside on_message ends the answer to this letter only.
        if (!(cause instanceof TurnOver) || cause.outcome !== 'completed') throw cause;
        if (cause.text !== '') sayLine(host, `${key}/done`, cause.text);
      }
    }
    host.progress.end(key, null);
    host.mailbox.used(letter.id);
  }
}

/** The conversation's script; found in the first letters and kept from then on. */
function scriptOf(host: Host, options: { readonly scriptPath: string | undefined }): Script {
  const kept = host.conversation.entries.find((entry) => entry.t === 'script');
  if (kept?.t === 'script') return parseScript(kept.text, kept.source);
  // A kill may have come after the prompt was read and before its script was kept: it lies open then.
  const letters = host.mailbox.open();
  const prompt = letters.map((letter) => letter.text).join('\n');
  const { text, source } = selectScript({ prompt, cwd: host.cwd, scriptPath: options.scriptPath });
  const script = parseScript(text, source);
  const [asked] = letters;
  host.conversation.append({ t: 'script', source, text, letter: asked?.id ?? null });
  if (asked !== undefined) host.mailbox.used(asked.id);
  return script;
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200);
}
