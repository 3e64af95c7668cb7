/**
 * Steps that change files and run programs in the agent's working directory.
 *
 * Law: paths stay below the working directory; doing a step again after a kill changes nothing twice, except
 * for `run`, whose program must bear it.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Handler, StepContext } from './host.ts';
import { asTool } from './tool-call.ts';
import { numberOf, optionalText, StepFailure, textOf, textsOf } from './values.ts';

const runMs = 600_000;
const keptOutput = 64 * 1024;

export const write: Handler = {
  perform(context) {
    const file = textOf(context.args, 'file');
    const content = textOf(context.args, 'content');
    const face = { name: 'write', kind: 'edit' as const, title: `write ${file}`, input: { file } };
    return asTool(context, face, async () => {
      const path = below(context.host.cwd, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return { file, bytes: Buffer.byteLength(content) };
    });
  },
};

export const append: Handler = {
  prepare: (args, host) => ({ size: sizeOf(below(host.cwd, textOf(args, 'file'))) }),
  perform(context) {
    const file = textOf(context.args, 'file');
    const content = textOf(context.args, 'content');
    const face = {
      name: 'append',
      kind: 'edit' as const,
      title: `append to ${file}`,
      input: { file },
    };
    return asTool(context, face, async () => {
      const path = below(context.host.cwd, file);
      const { size } = context.note as { size: number };
      if (context.begunBefore && sizeOf(path) > size) truncateSync(path, size);
      mkdirSync(dirname(path), { recursive: true });
      appendFileSync(path, content);
      return { file, bytes: Buffer.byteLength(content) };
    });
  },
};

export const run: Handler = {
  perform(context) {
    const args = textsOf(context.args, 'args');
    const face = {
      name: 'run',
      kind: 'shell' as const,
      title: args.join(' ').slice(0, 200),
      input: { args },
    };
    return asTool(context, face, async () => {
      const timeoutMs = numberOf(context.args, 'timeout_ms', runMs);
      const result = await runProgram(context, args, {
        timeoutMs,
        stdin: optionalText(context.args, 'stdin') ?? '',
      });
      if (result.code !== 0) {
        const how = result.timedOut
          ? `did not end in ${timeoutMs} ms`
          : `exited with ${result.code}`;
        throw new StepFailure(`${args.join(' ')} ${how}: ${result.output.slice(-2000)}`);
      }
      return { code: 0, output: result.output };
    });
  },
};

export const commit: Handler = {
  perform(context) {
    const message = textOf(context.args, 'message');
    const face = { name: 'commit', kind: 'shell' as const, title: message, input: { message } };
    return asTool(context, face, async () => {
      if (context.begunBefore) {
        // A kill in the middle of git leaves its lock; nobody else works in this repository.
        rmSync(
          resolve(context.host.cwd, await git(context, 'rev-parse', '--git-path', 'index.lock')),
          {
            force: true,
          },
        );
      }
      await git(context, 'add', '--all');
      const staged = await runProgram(context, ['git', 'diff', '--cached', '--quiet'], gitLimits);
      if (staged.code !== 0)
        await git(context, ...(await identity(context)), 'commit', '-q', '-m', message);
      return { sha: await git(context, 'rev-parse', 'HEAD'), changed: staged.code !== 0 };
    });
  },
};

const gitLimits = { timeoutMs: 60_000, stdin: '' };

/** Who commits, where the repository and the person's git do not say. */
async function identity(context: StepContext): Promise<readonly string[]> {
  const known = await runProgram(context, ['git', 'config', 'user.email'], gitLimits);
  if (known.code === 0) return [];
  return ['-c', 'user.name=Scripted agent', '-c', 'user.email=scripted@makima.invalid'];
}

async function git(context: StepContext, ...args: string[]): Promise<string> {
  const result = await runProgram(context, ['git', ...args], gitLimits);
  if (result.code === 0) return result.output.trim();
  throw new StepFailure(`git ${args.join(' ')} failed: ${result.output.slice(-2000)}`);
}

interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
  readonly timedOut: boolean;
}

/** Runs a program in a group of its own and kills the group when the step is broken off or late. */
function runProgram(
  context: Pick<StepContext, 'host' | 'signal'>,
  args: readonly string[],
  limits: { readonly timeoutMs: number; readonly stdin: string },
): Promise<ProgramResult> {
  const [program, ...rest] = args;
  if (program === undefined) throw new StepFailure('"args" must name a program.');
  context.signal.throwIfAborted();
  return new Promise((fulfil, reject) => {
    const child = spawn(program, rest, { cwd: context.host.cwd, detached: true });
    let output = '';
    let timedOut = false;
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-keptOutput);
    };
    const kill = () => killGroup(child.pid);
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, limits.timeoutMs);
    runningGroups.add(child.pid ?? 0);
    context.signal.addEventListener('abort', kill, { once: true });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.stdin.on('error', () => undefined);
    child.stdin.end(limits.stdin);
    const over = () => {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', kill);
      runningGroups.delete(child.pid ?? 0);
    };
    child.once('error', (cause) => {
      over();
      reject(new StepFailure(`${program} could not be started: ${cause.message}`));
    });
    child.once('close', (code) => {
      over();
      if (context.signal.aborted) reject(new StepFailure(`${program} was broken off.`));
      else fulfil({ code, output, timedOut });
    });
  });
}

const runningGroups = new Set<number>();

/** Kills whatever a step runs; for the agent's own end. */
export function killRunning(): void {
  for (const pid of runningGroups) killGroup(pid);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function below(cwd: string, file: string): string {
  const path = resolve(cwd, file);
  const inside = relative(cwd, path);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new StepFailure(`"${file}" is not below the working directory.`);
  }
  return path;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
