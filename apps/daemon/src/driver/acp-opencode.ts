/**
 * opencode. It is given a folder of settings of its own per run, in which only the person's providers stand, and
 * keeps makima's conversations in a database beside the person's.
 *
 * Law: no plugin, tool server or instruction of the person's takes part, of a repository only when it is
 * trusted; the server that it opens on loopback is locked with a password of the run.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { failureOf } from './acp-failure.ts';
import { linkOthers, ownFolder, writeJson } from './acp-home.ts';
import { opencodeNews } from './acp-opencode-news.ts';
import type { AcpLaunch, AcpProfile, AcpRun } from './acp-profile.ts';
import { noTokens, steering } from './acp-profile.ts';
import type { AgentCaps, AgentProbe, StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import { findProgram, versionOf } from './find-program.ts';
import type { Json } from './json.ts';
import { numberOf, objectOf } from './json.ts';
import { readSettings, settingsSay } from './jsonc.ts';
import { startFailure, startFailureReason } from './start-failure.ts';

const caps: AgentCaps = {
  inject: 'next_turn',
  interrupt: true,
  resume: 'transcript',
  questions: false,
  permissions: true,
  toolIds: false,
  toolGate: false,
  park: true,
  turnLimits: false,
  rateLimits: true,
  retries: 'told',
  modelErrors: 'words',
  projectSettings: true,
  cost: 'usd',
  mirror: true,
};

/** Versions that the conformance suite was run with: this minor line, from the first to the last. */
const testedLine = { line: /^1\.18\.(\d+)$/, fromPatch: 33 };

/** What of the person's settings says whom it asks, and as whom. */
const providerKeys = [
  'provider',
  'model',
  'small_model',
  'enabled_providers',
  'disabled_providers',
];

export interface OpencodeOptions {
  readonly program?: string;
  /** Gives the port for its server; default: a free one. */
  readonly port?: () => Promise<number>;
}

export function opencodeProfile(options: OpencodeOptions): AcpProfile {
  const find = (env: Environment) => findProgram('opencode', env, options.program);
  return {
    kind: 'opencode',
    caps,
    environmentNames: [
      /^(ANTHROPIC|OPENAI|OPENROUTER|GROQ|MISTRAL|DEEPSEEK|XAI|CEREBRAS|TOGETHER|FIREWORKS|OPENCODE|GEMINI)_API_KEY$/,
      /^GOOGLE_(API_KEY|GENERATIVE_AI_API_KEY|APPLICATION_CREDENTIALS|CLOUD_PROJECT)$/,
      /^(ANTHROPIC|OPENAI)_BASE_URL$/,
      /^AWS_(REGION|PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|BEARER_TOKEN_BEDROCK)$/,
      /^AZURE_(API_KEY|RESOURCE_NAME)$/,
    ],
    probe: (env) => probe(env, find(env), options.program),
    async prepare(run) {
      const program = find(run.env);
      if (program === null) {
        throw startFailure('not_found', 'opencode was not found.', {
          fix: 'Install opencode, or set the path of its program in the daemon’s settings.',
        });
      }
      return launchOf(run, program, await (options.port ?? freePort)());
    },
    // Somebody took the port that was free a moment ago.
    mayStartAgain: (cause) =>
      startFailureReason(cause) === 'exited' && /ServeError/.test((cause as Error).message),
    toolName: ({ title }) => title,
    isRefused: ({ title }) => title === 'Invalid Tool',
    words: (text) => (/^\s*\//.test(text) ? `Message: ${text}` : text),
    usageOf(result) {
      const usage = objectOf(result.usage);
      return {
        ...noTokens,
        input: numberOf(usage.inputTokens) ?? 0,
        output: numberOf(usage.outputTokens) ?? 0,
        cacheRead: numberOf(usage.cachedReadTokens) ?? 0,
        cacheWrite: numberOf(usage.cachedWriteTokens) ?? 0,
      };
    },
    failureOf,
    retriedBy: 'agent',
  };
}

function launchOf(run: AcpRun, program: string, port: number): AcpLaunch {
  const { spec, env, shared, agentSession } = run;
  const persons = env.XDG_CONFIG_HOME ?? join(env.HOME ?? '/', '.config');
  const config = ownFolder(join(spec.home, 'config'));
  // Other programs of the person's (git, gh) go on finding their settings.
  linkOthers(persons, config, 'opencode');
  writeSettings(ownFolder(join(config, 'opencode')), spec, personsSettings(persons));
  const steered = spec.trusted === true && repositorySettings(spec.cwd).some(says);
  const password = randomBytes(24).toString('base64url');
  return {
    command: [program, 'acp', '--hostname', '127.0.0.1', '--port', String(port)],
    env: {
      ...env,
      ...quiet,
      ...(spec.trusted === true && !steered ? {} : wary),
      XDG_CONFIG_HOME: config,
      OPENCODE_DB: join(ownFolder(shared), 'opencode.db'),
      OPENCODE_SERVER_PASSWORD: password,
      OPENCODE_PERMISSION: JSON.stringify(permissions[spec.permission]),
    },
    load: agentSession === null ? null : { sessionId: agentSession, pastEnds: null },
    takesTools: true,
    notes: steered ? [steering] : [],
    preface: null,
    async settle({ agent, sessionId }) {
      if (spec.permission !== 'plan') return;
      const mode = { sessionId, configId: 'mode', value: 'plan' };
      await agent.request('session/set_config_option', mode);
    },
    news: ({ sessionId }, tell) => opencodeNews({ port, password, cwd: spec.cwd, sessionId, tell }),
  };
}

/** No traffic but to the model, no update, nothing that somebody else shares. */
const quiet: Environment = {
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_SHARE: '1',
  OPENCODE_DISABLE_EMBEDDED_WEB_UI: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
  OPENCODE_DISABLE_CLAUDE_CODE: '1',
};

/** Where a repository may have settings for it. */
const repositorySettings = (cwd: string): readonly string[] =>
  ['opencode.json', 'opencode.jsonc'].flatMap((name) => [
    join(cwd, name),
    join(cwd, '.opencode', name),
  ]);
const says = (path: string): boolean => settingsSay(path, providerKeys);

/** Nothing of the repository but what its own tools read. */
const wary: Environment = { OPENCODE_DISABLE_PROJECT_CONFIG: '1', OPENCODE_PURE: '1' };

const reads = {
  read: 'allow',
  glob: 'allow',
  grep: 'allow',
  list: 'allow',
  todowrite: 'allow',
  todoread: 'allow',
  'makima_*': 'allow',
};

const permissions: Readonly<Record<StartSpec['permission'], Json>> = {
  bypass: { '*': 'allow' },
  ask: { '*': 'ask', ...reads },
  plan: { '*': 'deny', ...reads },
};

function personsSettings(persons: string): Json {
  const folder = join(persons, 'opencode');
  const all = ['config.json', 'opencode.json', 'opencode.jsonc'].map(
    (name) => readSettings(join(folder, name)) ?? {},
  );
  const merged: Json = Object.assign({}, ...all);
  const chosen = providerKeys.filter((key) => merged[key] !== undefined);
  const picked = Object.fromEntries(chosen.map((key) => [key, merged[key]]));
  // Keys may lie in files that are named from where the person's settings stand.
  const text = JSON.stringify(picked).replaceAll('{file:./', `{file:${folder}/`);
  return JSON.parse(text) as Json;
}

function writeSettings(folder: string, spec: StartSpec, persons: Json): void {
  const instructions = join(folder, 'makima.md');
  writeFileSync(instructions, spec.systemAppend ?? '', { mode: 0o600 });
  writeJson(join(folder, 'opencode.json'), {
    ...persons,
    ...(spec.model === undefined ? {} : { model: spec.model }),
    autoupdate: false,
    share: 'disabled',
    snapshot: false,
    instructions: spec.systemAppend === undefined ? [] : [instructions],
  });
  // It would fetch this package from the network; no plugin of ours needs it.
  const dependencies = { '@opencode-ai/plugin': '*' };
  ownFolder(join(folder, 'node_modules'));
  writeJson(join(folder, 'package.json'), { dependencies });
  writeJson(join(folder, 'package-lock.json'), { packages: { '': { dependencies } } });
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}

/** True when a key or provider is set; without one it may still have models that ask for none. */
function isSignedIn(env: Environment): boolean | null {
  const home = env.HOME ?? '/';
  const data = env.XDG_DATA_HOME ?? join(home, '.local', 'share');
  if (existsSync(join(data, 'opencode', 'auth.json'))) return true;
  if (Object.keys(env).some((name) => /_API_KEY$|^AWS_/.test(name))) return true;
  const { provider } = personsSettings(env.XDG_CONFIG_HOME ?? join(home, '.config'));
  return provider === undefined ? null : true;
}

async function probe(
  env: Environment,
  path: string | null,
  configured: string | undefined,
): Promise<AgentProbe> {
  const nothing = { kind: 'opencode' as const, path, version: null, tested: false, signedIn: null };
  if (path === null) {
    const where = configured === undefined ? 'on PATH' : `at ${configured}`;
    const problem = `opencode was not found ${where}. Install it, then run "opencode auth login".`;
    return { ...nothing, problem };
  }
  const { version, problem } = await versionOf(path, env);
  if (problem !== null) return { ...nothing, problem };
  const patch = testedLine.line.exec(version ?? '')?.[1];
  const tested = patch !== undefined && Number(patch) >= testedLine.fromPatch;
  return { ...nothing, version, tested, signedIn: isSignedIn(env), problem: null };
}
