/**
 * Any other agent that speaks ACP, by the command line that a person sets on this machine.
 *
 * Law: an argument list, never a shell, and an absolute path of a program. Of what is behind it nothing is
 * known but what it says of itself: it is asked for nothing that it may not have, and promised nothing. What it
 * obeys of a repository's own settings is its own affair: whoever sets it vouches for it.
 */
import { isAbsolute } from 'node:path';
import { failureOf } from './acp-failure.ts';
import type { AcpProfile } from './acp-profile.ts';
import { noTokens } from './acp-profile.ts';
import type { AgentCaps, AgentProbe } from './driver.ts';
import type { Environment } from './environment.ts';
import { findProgram, versionOf } from './find-program.ts';
import { numberOf, objectOf } from './json.ts';
import { startFailure } from './start-failure.ts';

const caps: AgentCaps = {
  inject: 'next_turn',
  interrupt: true,
  resume: 'transcript',
  questions: false,
  permissions: false,
  toolIds: false,
  toolGate: false,
  park: true,
  turnLimits: false,
  rateLimits: false,
  retries: 'silent',
  modelErrors: 'words',
  projectSettings: false,
  cost: 'tokens',
  mirror: true,
};

export interface CommandProfileOptions {
  /** The program and its arguments; null: none is set. */
  readonly command: readonly string[] | null;
  /** Names of variables of the person's that may reach it. */
  readonly environmentNames: readonly string[];
}

export function commandProfile({ command, environmentNames }: CommandProfileOptions): AcpProfile {
  const find = (env: Environment): readonly string[] | null => {
    const [program, ...args] = command ?? [];
    if (program === undefined) return null;
    const path = isAbsolute(program)
      ? findProgram(program, env, program)
      : findProgram(program, env, undefined);
    return path === null ? null : [path, ...args];
  };
  return {
    kind: 'acp',
    caps,
    environmentNames: environmentNames.filter(isName).map((name) => new RegExp(`^${name}$`)),
    probe: (env) => probe(env, find(env), command),
    async prepare({ env, agentSession, spec }) {
      const found = find(env);
      if (found === null) {
        throw startFailure('not_found', problemOf(command), { fix: 'Set MAKIMA_ACP_COMMAND.' });
      }
      return {
        command: found,
        env,
        load: agentSession === null ? null : { sessionId: agentSession, pastEnds: null },
        takesTools: true,
        notes: [],
        preface: spec.systemAppend ?? null,
        settle: async () => undefined,
        news: null,
      };
    },
    mayStartAgain: () => false,
    toolName: ({ title }) => title,
    isRefused: () => false,
    words: (text) => (/^\s*[/$]/.test(text) ? `Message: ${text}` : text),
    usageOf(result) {
      const usage = objectOf(result.usage);
      const input = numberOf(usage.inputTokens) ?? 0;
      return { ...noTokens, input, output: numberOf(usage.outputTokens) ?? 0 };
    },
    failureOf,
    retriedBy: 'agent',
  };
}

const isName = (name: string): boolean => /^\w+$/.test(name);

function problemOf(command: readonly string[] | null): string {
  const program = command?.[0];
  if (program === undefined) return 'No command of an ACP agent is set (MAKIMA_ACP_COMMAND).';
  return `The program ${program} of MAKIMA_ACP_COMMAND was not found.`;
}

/** Most such programs know no `--version`: one that does not is no problem. */
async function probe(
  env: Environment,
  found: readonly string[] | null,
  command: readonly string[] | null,
): Promise<AgentProbe> {
  const path = found?.[0] ?? null;
  const nothing = { kind: 'acp' as const, path, version: null, tested: false, signedIn: null };
  if (path === null) return { ...nothing, problem: problemOf(command) };
  const { version } = await versionOf(path, env);
  return { ...nothing, version, problem: null };
}
