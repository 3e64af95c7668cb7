/**
 * The driver of agents that speak the Agent Client Protocol over their standard streams, one per profile:
 * Gemini CLI, opencode, and whatever command line a person sets.
 *
 * Law: each start has settings of its own; the person's are read, never written. A conversation is never run by
 * two processes (whoever starts one fences the other first).
 */
import { join } from 'node:path';
import { acpDialect } from './acp-dialect.ts';
import type { AcpProfile } from './acp-profile.ts';
import { conversationFolder, openRecord, storyOf } from './acp-record.ts';
import type { RetryOptions } from './acp-turns.ts';
import type { AgentDriver, AgentSession, StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import { allowedEnvironment, checkedExtras, runEnvironment } from './environment.ts';
import { startSession } from './session.ts';
import { requireSpec } from './start-spec.ts';

export interface AcpDriverOptions {
  readonly profile: AcpProfile;
  /** Where conversations are kept: one folder each, over all runs. */
  readonly sessionsDir: string;
  /** The daemon's own environment, of which an allow list is passed on. */
  readonly environment: NodeJS.ProcessEnv;
  /** How often a model that fails is asked again. */
  readonly retry?: RetryOptions;
}

const standingRetry: RetryOptions = { max: 8, firstMs: 2_000, mostMs: 60_000 };
/** How often a start that failed by bad luck is made. */
const mostStarts = 3;

export function acpDriver(options: AcpDriverOptions): AgentDriver {
  const { profile } = options;
  const { kind, caps } = profile;
  const own = allowedEnvironment(options.environment, profile.environmentNames);
  return {
    kind,
    caps,
    probe: () => profile.probe(own),
    async start(spec) {
      requireSpec(spec, caps);
      for (let tries = 1; ; tries += 1) {
        try {
          return await startOnce(options, own, spec);
        } catch (cause) {
          if (tries === mostStarts || !profile.mayStartAgain(cause)) throw cause;
        }
      }
    },
  };
}

async function startOnce(
  { profile, sessionsDir, retry }: AcpDriverOptions,
  own: Environment,
  spec: StartSpec,
): Promise<AgentSession> {
  const { kind } = profile;
  const env = { ...own, ...checkedExtras(spec.env), ...runEnvironment(spec) };
  const folder = conversationFolder(sessionsDir, kind, spec.sessionId);
  const record = await openRecord(folder, spec);
  const shared = join(sessionsDir, kind);
  const agentSession = lastSession(spec, record.before);
  const launch = await profile.prepare({ spec, env, folder, shared, agentSession });
  const [command, ...args] = launch.command;
  const parts = { spec, profile, launch, record, retry: retry ?? standingRetry };
  return startSession({
    kind,
    spec,
    command: command as string,
    args,
    env: launch.env,
    dialect: (link) => acpDialect(link, parts),
  });
}

/** A transcript that was given may be newer than what the agent keeps here: then its own session is not it. */
function lastSession(spec: StartSpec, before: readonly string[]): string | null {
  if (spec.mode === 'new' || spec.transcript !== undefined) return null;
  const opened = storyOf(before).findLast((line) => line.t === 'opened');
  return opened?.agentSession ?? null;
}
