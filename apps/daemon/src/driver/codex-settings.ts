/**
 * The settings of a run of Codex: the person's choice of model and of the house that serves it, and everything
 * else makima's own.
 *
 * Law: the person's `config.toml` is read and never written; of it only what says which model is asked takes
 * part, no server, hook, plugin or instruction of theirs. Names of variables that hold keys are kept out of the
 * shells that the agent opens.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import type { StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import type { Json } from './json.ts';
import { isJson, objectOf, textOf } from './json.ts';
import { startFailure } from './start-failure.ts';

export interface PersonsChoice {
  /** What of their settings takes part. */
  readonly settings: Json;
  /** Variables in which the chosen house's keys stand. */
  readonly keyNames: readonly string[];
  /** Where a sign-in to Codex is kept: in `auth.json`, or where only Codex itself can look. */
  readonly signIn: 'file' | 'keychain' | 'not_needed';
}

const choiceNames = [
  'model',
  'model_provider',
  'model_providers',
  'model_reasoning_effort',
  'model_reasoning_summary',
  'model_verbosity',
  'model_context_window',
  'model_auto_compact_token_limit',
  'service_tier',
  'openai_base_url',
  'chatgpt_base_url',
  'forced_login_method',
  'forced_chatgpt_workspace_id',
];

/** Where the person's own Codex keeps its things. */
export function personsHome(env: Environment): string {
  return env.CODEX_HOME ?? join(env.HOME ?? '/', '.codex');
}

/** @throws MakimaError reason `bad_spec` when the settings are there and cannot be read. */
export function personsChoice(home: string): PersonsChoice {
  const path = join(home, 'config.toml');
  const theirs = readSettings(path);
  const settings = Object.fromEntries(
    choiceNames.filter((name) => theirs[name] !== undefined).map((name) => [name, theirs[name]]),
  );
  const house = textOf(theirs.model_provider) ?? 'openai';
  const provider = objectOf(theirs.model_providers)[house];
  if (isJson(provider) && provider.requires_openai_auth !== true) {
    return { settings, keyNames: keyNamesOf(provider), signIn: 'not_needed' };
  }
  const store = textOf(theirs.cli_auth_credentials_store) ?? 'file';
  return { settings, keyNames: [], signIn: store === 'file' ? 'file' : 'keychain' };
}

function readSettings(path: string): Json {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return {};
  }
  try {
    return parse(text);
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw startFailure('bad_spec', `The settings of Codex in ${path} cannot be read: ${why}`, {
      fix: `Correct ${path}.`,
      cause,
    });
  }
}

function keyNamesOf(provider: Json): readonly string[] {
  const headers = Object.values(objectOf(provider.env_http_headers));
  return [provider.env_key, ...headers].map(textOf).filter((name) => name !== null);
}

/** What Codex does itself that reaches beyond the run, or that makima does. */
const features = {
  plugins: false,
  apps: false,
  goals: false,
  memories: false,
  browser_use: false,
  computer_use: false,
  in_app_browser: false,
  // Off by default: without it nothing can be asked outside of its plan mode.
  default_mode_request_user_input: true,
};

const dayS = 86_400;

/** The whole `config.toml` of a run. */
export function runSettings(spec: StartSpec, choice: PersonsChoice): string {
  const trusted = spec.trusted === true;
  return stringify({
    ...choice.settings,
    check_for_update_on_startup: false,
    // A login shell makes its PATH anew, and the run's own is gone, with the makima command on it.
    allow_login_shell: false,
    suppress_unstable_features_warning: true,
    // The repository's AGENTS.md speaks with the same voice as its settings do.
    ...(trusted ? {} : { project_doc_max_bytes: 0 }),
    features,
    agents: { enabled: false },
    analytics: { enabled: false },
    feedback: { enabled: false },
    history: { persistence: 'none' },
    ...(choice.keyNames.length === 0
      ? {}
      : { shell_environment_policy: { exclude: choice.keyNames } }),
    ...(spec.tools === undefined ? {} : { mcp_servers: { makima: serverOf(spec.tools.url) } }),
    // Said of every folder: one that Codex finds no word about it trusts by itself.
    projects: { [realpathSync(spec.cwd)]: { trust_level: trusted ? 'trusted' : 'untrusted' } },
  });
}

/** The token comes out of the environment when the server is called. */
function serverOf(url: string): Json {
  return {
    url,
    bearer_token_env_var: 'MAKIMA_TOKEN',
    tool_timeout_sec: dayS,
    default_tools_approval_mode: 'approve',
  };
}
