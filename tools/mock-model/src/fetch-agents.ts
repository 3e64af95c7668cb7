/**
 * Fetches the pinned real agents for the tests into `.cache/agents`, once, with npm and without any install
 * script. They are large and not ours, so they are nobody's dependency.
 *
 * Law: exact versions; what is already there is used; a failure says why, it is never skipped.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The versions that the conformance suite is run with. */
export const claudeVersion = '2.1.329';
export const codexVersion = '0.169.0';
export const geminiVersion = '0.61.0';
export const opencodeVersion = '1.18.33';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const fetchMs = 300_000;

interface PinnedAgent {
  readonly label: string;
  /** Where it is installed to, and fetched from unless `alias` says otherwise. */
  readonly package: string;
  readonly alias?: string;
  readonly version: string;
  readonly program: string;
  readonly megabytes: number;
}

interface FetchOptions {
  readonly onProgress?: (line: string) => void;
}

const platform = `${process.platform}-${process.arch}`;
const toStderr = (line: string) => void process.stderr.write(`${line}\n`);

/** Path of the real Claude Code. @throws Error with the reason when it cannot be fetched. */
export function fetchClaude(options: FetchOptions = {}): Promise<string> {
  const agent = {
    label: `Claude Code ${claudeVersion}`,
    package: `@anthropic-ai/claude-code-${platform}`,
    version: claudeVersion,
    program: 'claude',
    megabytes: 170,
  };
  return fetchAgent(agent, options.onProgress ?? toStderr);
}

/** The build for this platform is a version of the one package. */
const codexBuilds: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
};

/** Path of the real Codex. @throws Error as above. */
export function fetchCodex(options: FetchOptions = {}): Promise<string> {
  const agent = {
    label: `Codex ${codexVersion}`,
    package: `@openai/codex-${platform}`,
    alias: '@openai/codex',
    version: `${codexVersion}-${platform}`,
    program: join('vendor', codexBuilds[platform] ?? platform, 'bin', 'codex'),
    megabytes: 160,
  };
  return fetchAgent(agent, options.onProgress ?? toStderr);
}

/** Path of the real Gemini CLI, a program of Node. @throws Error as above. */
export function fetchGemini(options: FetchOptions = {}): Promise<string> {
  const agent = {
    label: `Gemini CLI ${geminiVersion}`,
    package: '@google/gemini-cli',
    version: geminiVersion,
    program: join('bundle', 'gemini.js'),
    megabytes: 25,
  };
  return fetchAgent(agent, options.onProgress ?? toStderr);
}

/** Path of the real opencode. @throws Error as above. */
export function fetchOpencode(options: FetchOptions = {}): Promise<string> {
  const agent = {
    label: `opencode ${opencodeVersion}`,
    package: `opencode-${platform}`,
    version: opencodeVersion,
    program: join('bin', 'opencode'),
    megabytes: 60,
  };
  return fetchAgent(agent, options.onProgress ?? toStderr);
}

async function fetchAgent(agent: PinnedAgent, tell: (line: string) => void): Promise<string> {
  const folder = join(root, '.cache', 'agents');
  const home = join(folder, 'node_modules', agent.package);
  const program = join(home, agent.program);
  if (isThere(home, program, agent.version)) return program;
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, '.fetching');
  if (!takeLock(lock)) {
    tell(`${agent.label} is being fetched by another process …`);
    await waitForOther(lock);
    return fetchAgent(agent, tell);
  }
  try {
    if (!existsSync(join(folder, 'package.json'))) {
      writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    }
    tell(`Fetching ${agent.label} (about ${agent.megabytes} MB, once) …`);
    const since = Date.now();
    await install(folder, agent);
    if (!isThere(home, program, agent.version)) {
      throw new Error(`npm installed ${agent.package}, but ${program} is not there.`);
    }
    tell(`Fetched ${agent.label} in ${Math.round((Date.now() - since) / 1000)} s.`);
    return program;
  } finally {
    rmSync(lock, { force: true, recursive: true });
  }
}

function isThere(home: string, program: string, version: string): boolean {
  try {
    const { version: found } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    return found === version && existsSync(program);
  } catch {
    return false;
  }
}

async function install(folder: string, agent: PinnedAgent): Promise<void> {
  const quiet = [
    '--no-package-lock',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const source = agent.alias === undefined ? '' : `npm:${agent.alias}@`;
  const wanted = `${agent.package}@${source}${agent.version}`;
  const args = ['install', '--prefix', folder, ...quiet, wanted];
  try {
    await run(npmPath(), args, { cwd: folder, timeout: fetchMs });
  } catch (cause) {
    const { stderr = '', message } = cause as { stderr?: string; message: string };
    const why = (stderr.trim() || message).slice(0, 2000);
    throw new Error(`Could not fetch ${wanted} with npm: ${why}`, { cause });
  }
}

/** npm stands on PATH, or beside the Node that runs. */
function npmPath(): string {
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    dirname(process.execPath),
    '/usr/local/bin',
  ];
  return folders.map((folder) => join(folder, 'npm')).find((path) => existsSync(path)) ?? 'npm';
}

/** A folder as a lock: made by one process only. A lock of a process that is gone is broken. */
function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
  } catch {
    return false;
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  return true;
}

async function waitForOther(lock: string): Promise<void> {
  const until = Date.now() + fetchMs;
  while (existsSync(lock) && Date.now() < until && isHeld(lock)) await pause(200);
  if (existsSync(lock) && !isHeld(lock)) rmSync(lock, { force: true, recursive: true });
}

function isHeld(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // The owner writes its id right after it has made the folder.
    if (code === 'ENOENT')
      return Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 2000;
    return code === 'EPERM';
  }
}

if (import.meta.main) {
  for (const fetch of [fetchClaude, fetchCodex, fetchGemini, fetchOpencode]) {
    process.stdout.write(`${await fetch()}\n`);
  }
}
