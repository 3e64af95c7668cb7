/**
 * Where Claude Code keeps a conversation, and writing one back so that it goes on here.
 *
 * Law: a conversation is its lines: written whole (temporary file, then rename) into the folder of this
 * working directory, and read as they are; an agent that runs is never written under.
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import { startFailure } from './start-failure.ts';

export interface TranscriptPlace {
  /** Folder of all projects of this configuration. */
  readonly projects: string;
  /** The file for this session started in this working directory. */
  readonly file: string;
}

export function transcriptPlace(
  spec: Pick<StartSpec, 'cwd' | 'sessionId'>,
  env: Environment,
): TranscriptPlace {
  const config = env.CLAUDE_CONFIG_DIR ?? join(env.HOME ?? '/', '.claude');
  const projects = join(config, 'projects');
  const slug = realpathSync(spec.cwd).replaceAll(/[^a-zA-Z0-9]/g, '-');
  return { projects, file: join(projects, slug, `${spec.sessionId}.jsonl`) };
}

/** Writes the given lines back; without any, nothing happens. */
export async function writeTranscript(
  place: TranscriptPlace,
  lines: StartSpec['transcript'],
): Promise<void> {
  if (lines === undefined) return;
  mkdirSync(join(place.file, '..'), { recursive: true, mode: 0o700 });
  const file = await open(`${place.file}.new`, 'w', 0o600);
  try {
    for await (const line of lines) await file.write(`${line}\n`);
  } finally {
    await file.close();
  }
  renameSync(`${place.file}.new`, place.file);
}

/** The conversation's lines, wherever below the projects it lies; null when there is none. */
export function readTranscript(
  place: TranscriptPlace,
  sessionId: string,
): readonly string[] | null {
  return readLines(place.file) ?? readElsewhere(place.projects, sessionId);
}

/** @throws MakimaError reason `no_conversation`, before anything is started. */
export function requireTranscript(place: TranscriptPlace, sessionId: string): readonly string[] {
  const lines = readTranscript(place, sessionId);
  if (lines !== null && lines.length > 0) return lines;
  throw startFailure('no_conversation', `No conversation found with session id ${sessionId}.`, {
    fix: 'Give its transcript, or start a new conversation.',
  });
}

function readElsewhere(projects: string, sessionId: string): readonly string[] | null {
  let folders: string[];
  try {
    folders = readdirSync(projects);
  } catch {
    return null;
  }
  for (const folder of folders) {
    const lines = readLines(join(projects, folder, `${sessionId}.jsonl`));
    if (lines !== null) return lines;
  }
  return null;
}

/** Whole lines only: a last one that was cut is not a line yet. */
function readLines(path: string): readonly string[] | null {
  try {
    const text = readFileSync(path, 'utf8');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return null;
  }
}
