/**
 * From bytes to a frame: the one place where what a daemon sends is parsed.
 *
 * Law: what does not fit is null and nothing else; no text of a peer throws. Reports are read one by one:
 * one that does not fit is handed on as unreadable, so that its journal does not stop at it. Texts leave here without the
 * two things that the store refuses (NUL, lone surrogates), which agents print and which would make a
 * whole report impossible to keep.
 */
import {
  zDaemonFrame,
  zReportsEnvelope,
  type ReportsTaken,
  type TakenFrame,
} from '@makima/contracts/socket/frames';
import { readReport } from '@makima/contracts/socket/reports';

/** Deepest value that is kept of a tool's input. */
const maxDepth = 64;
const suspicious = /\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/;

/** The frame in this text, or null when it is none of ours. */
export function parseFrame(text: string): TakenFrame | null {
  try {
    const frame = read(JSON.parse(text));
    if (frame === null) return null;
    return suspicious.test(text) ? (cleaned(frame) as TakenFrame) : frame;
  } catch {
    return null;
  }
}

function read(value: unknown): TakenFrame | null {
  if ((value as { readonly type?: unknown } | null)?.type === 'reports') {
    const envelope = zReportsEnvelope.safeParse(value);
    if (!envelope.success) return null;
    const frame = { ...envelope.data, reports: envelope.data.reports.map(readReport) };
    flattenInputs(frame);
    return frame;
  }
  const parsed = zDaemonFrame.safeParse(value);
  return parsed.success ? (parsed.data as TakenFrame) : null;
}

/** A tool's input is whatever the agent gave; one that nests for ever could be stored by nobody. */
function flattenInputs(frame: ReportsTaken): void {
  for (const report of frame.reports) {
    if ('unreadable' in report || report.kind !== 'task.outputted') continue;
    for (const line of report.lines) {
      if (isDeeper(line.toolInput, maxDepth)) line.toolInput = '[nested too deeply to keep]';
    }
  }
}

/** Level by level, so that depth costs no stack. */
function isDeeper(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return false;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [cleanText(key), cleaned(one)]),
  );
}

function cleanText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
