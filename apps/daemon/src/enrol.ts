/**
 * `join`: a one-time token becomes this machine's own key.
 *
 * Law: the key is written once, readable by its owner only, and shown nowhere.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

const zEnrolled = z.object({ daemonId: z.string(), key: z.string().min(20) });
const enrolMs = 15_000;

export interface EnrolOptions {
  readonly apiUrl: string;
  readonly token: string;
  readonly name: string;
  readonly host: string;
  readonly keyFile: string;
  /** What the former identity had to tell belongs to it: the journal is put aside. */
  readonly journalDir: string;
}

/** @returns the daemon's id. @throws Error with one sentence for the terminal. */
export async function enrol(options: EnrolOptions): Promise<string> {
  const { token, name, host } = options;
  const url = new URL('/api/v1/daemons/enrol', options.apiUrl);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, name, host }),
      signal: AbortSignal.timeout(enrolMs),
      redirect: 'error',
    });
  } catch (error) {
    throw new Error(`The API at ${url.origin} cannot be reached. Is it running?`, { cause: error });
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Error(refusalOf(body, response.status));
  const enrolled = zEnrolled.safeParse(body);
  if (!enrolled.success) throw new Error(`The API at ${url.origin} gave an answer without a key.`);
  await putAside(options.journalDir);
  await writeKey(options.keyFile, enrolled.data.key);
  return enrolled.data.daemonId;
}

async function putAside(journalDir: string): Promise<void> {
  await rename(journalDir, `${journalDir}-former-${Date.now()}`).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

async function writeKey(file: string, key: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.new`;
  await writeFile(aside, `${key}\n`, { mode: 0o600, flush: true });
  await rename(aside, file);
}

function refusalOf(body: unknown, status: number): string {
  const problem = z.object({ title: z.string(), detail: z.string() }).partial().safeParse(body);
  const words = problem.success ? (problem.data.detail ?? problem.data.title) : undefined;
  return words ?? `The API refused the token (${status}). Make a new one with: makima daemon enrol`;
}
