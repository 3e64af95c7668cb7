/**
 * An error as people and scripts see it: what failed, why, what to do next, and the id to ask about.
 *
 * Law: never a bare stack. In JSON it is one line on stderr: the problem as the API would send it, with the
 * exit code. Text that may come from an agent passes `plain`.
 */
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { asTyped } from './as-typed.ts';
import { deliverableLine } from './deliverable-line.ts';
import { exitCodeOf } from './exit-code.ts';
import { formatAskedFor, type Io, wantsColor } from './io.ts';
import { inOwnWords } from './own-words.ts';
import { oneLine, plain, safeJson } from './plain.ts';
import { wrap } from './wrap.ts';

/** Prints it and gives the exit code. */
export async function printError(io: Io, thrown: unknown): Promise<number> {
  const error = isMakimaError(thrown) ? inOwnWords(thrown) : unexpected(thrown);
  const exitCode = exitCodeOf(error);
  if (formatAskedFor(io) === 'json') {
    const { toProblem } = await import('@makima/contracts/problem');
    const { requestId: _, ...details } = error.details;
    const { code, message, fix, retryable } = error;
    const known = new MakimaError(code, message, { details, retryable, ...(fix && { fix }) });
    const problem = toProblem(known, requestIdOf(error) ?? 'none');
    io.stderr.write(`${safeJson({ ...problem, exitCode })}\n`);
  } else {
    const red = wantsColor(io.env, io.stderr.isTTY) && !io.argv.includes('--no-color');
    const head = red ? '\u001b[31merror:\u001b[39m' : 'error:';
    const text = fitted(io, anatomy(error, exitCode));
    io.stderr.write(`${head} ${asTyped(io, io.stderr, text)}\n`);
  }
  if (!isMakimaError(thrown) && io.env['MAKIMA_DEBUG'] && thrown instanceof Error) {
    io.stderr.write(`${plain(thrown.stack ?? '')}\n`);
  }
  return exitCode;
}

/** On a terminal lines break between words; a fix may be copied, and stays whole. */
function fitted({ stderr }: Io, text: string): string {
  if (!stderr.isTTY) return text;
  const columns = stderr.columns || 80;
  const [message = '', ...rest] = text.split('\n');
  const fit = (line: string): string =>
    line.startsWith('  fix ') ? line : wrap(line, columns, factIndent);
  return [wrap(message, columns - 'error: '.length, factIndent), ...rest.map(fit)].join('\n');
}

const factIndent = 8;

/** The lines after `error:`, without colour. */
export function anatomy(error: MakimaError, exitCode: number): string {
  const id = requestIdOf(error);
  const lines = [
    ...part('why', whyOf(error)),
    ...part('fix', error.fix === undefined ? [] : plain(error.fix).split('\n')),
    ...part('id', id === undefined ? [] : [`${id} - ${error.code}`]),
  ];
  const tail = `(exit ${exitCode})`;
  const message = oneLine(error.message).replace(/\.$/, '');
  return lines.length === 0
    ? `${message}  ${tail}`
    : [message, ...lines.slice(0, -1), `${lines.at(-1)}  ${tail}`].join('\n');
}

function part(label: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => `  ${(at === 0 ? label : '').padEnd(4)}  ${line}`);
}

/** Facts that stand elsewhere in the anatomy, or are of no use to its reader. */
const notWhy = new Set(['requestId', 'url', 'status', 'outcome', 'confirmationId', 'questionId']);

function whyOf(error: MakimaError): string[] {
  return Object.entries(error.details)
    .filter(([name]) => !notWhy.has(name) && !(name === 'errors' && 'missing' in error.details))
    .flatMap(([name, value]) => factLines(name, value))
    .map(oneLine)
    .filter((line) => line !== '')
    .slice(0, 20);
}

function factLines(name: string, value: unknown): string[] {
  if (Array.isArray(value)) {
    const items = value.map(itemText);
    const eachOnItsOwn = value.some((item) => typeof item === 'object') || name === 'candidates';
    return eachOnItsOwn ? items : [`${wordsOf(name)}: ${items.join(', ')}`];
  }
  if (typeof value === 'string') return [name === 'why' ? value : `${wordsOf(name)}: ${value}`];
  if (typeof value !== 'number' && typeof value !== 'boolean') return [];
  return [`${wordsOf(name)}: ${value}`];
}

/** `{pointer, detail}` of a validation, `{id, reason}` of a gate, a deliverable, or plain text. */
function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  if ('evidence' in item) return deliverableLine(item as Record<string, unknown>);
  const { pointer, detail, id, reason } = item as Record<string, unknown>;
  const parts = [pointer ?? id, detail ?? reason].filter((text) => typeof text === 'string');
  return parts.length === 0 ? JSON.stringify(item) : parts.join(': ');
}

/** `expectedVersion` reads `expected version`. */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('_', ' ');
}

function requestIdOf(error: MakimaError): string | undefined {
  const id = error.details['requestId'];
  return typeof id === 'string' && id !== '' ? oneLine(id) : undefined;
}

function unexpected(thrown: unknown): MakimaError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new MakimaError('INTERNAL', `makima itself broke: ${message}`, {
    fix: 'run it again with MAKIMA_DEBUG=1 to see where',
    cause: thrown,
  });
}

/** What somebody asked for in the wrong way. */
export function usageError(message: string, fix?: string, why?: readonly string[]): MakimaError {
  return new MakimaError('VALIDATION_FAILED', message, {
    ...(fix === undefined ? {} : { fix }),
    ...(why === undefined ? {} : { details: { candidates: why } }),
  });
}
