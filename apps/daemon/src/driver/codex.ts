/**
 * The driver of Codex: the person's own `codex`, driven as `codex app-server` over JSON-RPC lines. Each run has
 * a home of its own with the person's sign-in; the conversation is kept by makima.
 *
 * Law: isolated from the person's settings, and from the repository's unless it is trusted; one conversation is
 * never run by two processes (whoever starts one fences the other first).
 */
import { conversationFolder, prepareConversation } from './codex-conversation.ts';
import { codexDialect } from './codex-dialect.ts';
import { writeCodexHome } from './codex-home.ts';
import { findCodex, probeCodex } from './codex-probe.ts';
import { personsChoice, personsHome } from './codex-settings.ts';
import type { AgentCaps, AgentDriver } from './driver.ts';
import type { Environment } from './environment.ts';
import { allowedEnvironment, checkedExtras, runEnvironment } from './environment.ts';
import { startSession } from './session.ts';
import { startFailure } from './start-failure.ts';
import { requireSpec } from './start-spec.ts';

export interface CodexDriverOptions {
  /** Absolute path of the program; default: the first `codex` on PATH. */
  readonly program?: string;
  /** Where conversations are kept: one folder each, over all runs. */
  readonly sessionsDir: string;
  /** The daemon's own environment, of which an allow list is passed on. */
  readonly environment: NodeJS.ProcessEnv;
}

const caps: AgentCaps = {
  inject: 'mid_turn',
  interrupt: true,
  resume: 'transcript',
  questions: true,
  permissions: true,
  toolIds: true,
  toolGate: false,
  park: true,
  turnLimits: false,
  rateLimits: true,
  retries: 'told',
  modelErrors: 'status',
  projectSettings: true,
  cost: 'tokens',
  mirror: true,
};

/** The person's own variables that are about Codex and may reach it. Keys of houses: see their settings. */
const codexNames: readonly RegExp[] = [/^CODEX_(CA_CERTIFICATE|HOME)$/];

export function codexDriver(options: CodexDriverOptions): AgentDriver {
  const own = allowedEnvironment(options.environment, codexNames);
  return {
    kind: 'codex',
    caps,
    probe: () => probeCodex(own, options.environment, options.program),
    async start(spec) {
      const command = findCodex(own, options.program);
      if (command === null) {
        throw startFailure('not_found', 'Codex was not found.', {
          fix: 'Install Codex, or set the path of its program in the daemon’s settings.',
        });
      }
      const extras = checkedExtras(spec.env);
      requireSpec(spec, caps);
      const choice = personsChoice(personsHome(own));
      const folder = conversationFolder(options.sessionsDir, spec.sessionId);
      const conversation = await prepareConversation(folder, spec);
      const home = writeCodexHome(spec, { env: own, choice, conversation: folder });
      const env: Environment = {
        ...allowedEnvironment(options.environment, [...codexNames, exactly(choice.keyNames)]),
        ...extras,
        ...runEnvironment(spec),
        CODEX_HOME: home,
        NO_COLOR: '1',
      };
      return startSession({
        kind: 'codex',
        spec,
        command,
        env,
        args: ['app-server'],
        dialect: (link) => codexDialect(link, { spec, conversation }),
      });
    },
  };
}

/** Matches these names and no other. */
function exactly(names: readonly string[]): RegExp {
  const plain = names.filter((name) => /^\w+$/.test(name));
  return new RegExp(plain.length === 0 ? '(?!)' : `^(${plain.join('|')})$`);
}
