/**
 * The environment that an agent gets: an allow list of the daemon's own, then what the driver and the start
 * ask for.
 *
 * Law: nothing comes through because nobody thought of it. The daemon's secrets (its keys, store addresses)
 * have no name on any list, and extras with such a name are refused.
 */
import { startFailure } from './start-failure.ts';

export type Environment = Readonly<Record<string, string>>;

/** What every program needs to run as on the person's terminal, and nothing that is a credential. */
const commonNames = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TERM',
  'COLORTERM',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_RUNTIME_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'JAVA_HOME',
  'GOPATH',
  'GOROOT',
  'CARGO_HOME',
  'RUSTUP_HOME',
  'PNPM_HOME',
  'NVM_DIR',
]);

/** Names of makima's own that an agent may have. Everything else that begins with MAKIMA_ is refused. */
const makimaNames = new Set([
  'MAKIMA_RUN_ID',
  'MAKIMA_TASK_ID',
  'MAKIMA_TOKEN',
  'MAKIMA_URL',
  'MAKIMA_SCRIPT',
  'MAKIMA_LEDGER',
]);

const secretNames =
  /^(DATABASE_URL|REDIS_URL|PG[A-Z]+|POSTGRES_.*|REDIS_.*|LD_PRELOAD|LD_LIBRARY_PATH|NODE_OPTIONS)$/;

/** The part of `own` that any agent may have, plus the names (or name patterns) of its kind. */
export function allowedEnvironment(own: NodeJS.ProcessEnv, ofKind: readonly RegExp[]): Environment {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || secretNames.test(name)) continue;
    const known = commonNames.has(name) || name.startsWith('LC_');
    if (known || ofKind.some((pattern) => pattern.test(name))) allowed[name] = value;
  }
  return allowed;
}

/** @throws MakimaError (reason `bad_spec`) for a name that could carry a secret of the daemon's. */
export function checkedExtras(extras: Environment | undefined): Environment {
  for (const [name, value] of Object.entries(extras ?? {})) {
    const refused =
      secretNames.test(name) || (name.startsWith('MAKIMA_') && !makimaNames.has(name));
    if (refused || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0')) {
      throw startFailure('bad_spec', `An agent may not be given the environment variable ${name}.`);
    }
  }
  return extras ?? {};
}

/** What makima tells every agent about its run. */
export function runEnvironment(spec: {
  readonly runId: string;
  readonly taskId: string;
  readonly tools?: { readonly url: string; readonly token: string };
}): Environment {
  return {
    MAKIMA_RUN_ID: spec.runId,
    MAKIMA_TASK_ID: spec.taskId,
    ...(spec.tools === undefined
      ? {}
      : { MAKIMA_URL: spec.tools.url, MAKIMA_TOKEN: spec.tools.token }),
  };
}
