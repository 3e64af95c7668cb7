/**
 * Gemini CLI. Its home is one of ours per conversation: our settings, links to the person's sign-in, and its
 * own record of the conversation.
 *
 * Law: asks the model once per request (we try again, in the open). Of a repository that is not trusted no
 * settings, hooks, tool servers or environment are taken: where there are any (`.gemini`), it runs in its own
 * restricted mode, which knows no tool servers at all, so that makima's tools are commands in its shell then.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf } from './acp-failure.ts';
import { fileUnder, readyToLoad } from './acp-gemini-chats.ts';
import { linkFiles, ownFolder, writeJson } from './acp-home.ts';
import type { AcpLaunch, AcpProfile, AcpRun } from './acp-profile.ts';
import { noTokens, steering } from './acp-profile.ts';
import type { AgentCaps, AgentProbe, StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import { findProgram, versionOf } from './find-program.ts';
import type { Json } from './json.ts';
import { numberOf, objectOf, textOf } from './json.ts';
import { readSettings, settingsSay } from './jsonc.ts';
import { startFailure } from './start-failure.ts';

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
  modelErrors: 'status',
  projectSettings: true,
  cost: 'tokens',
  mirror: true,
};

/** Versions that the conformance suite was run with: this minor line. */
const testedLine = /^0\.61\.\d+$/;

/** What a sign-in leaves in the person's folder. */
const signInFiles = ['oauth_creds.json', 'gemini-credentials.json'];
const linkedFiles = [...signInFiles, 'google_accounts.json', 'installation_id', '.env'];

export function geminiProfile(options: { readonly program?: string }): AcpProfile {
  const find = (env: Environment) => findProgram('gemini', env, options.program);
  return {
    kind: 'gemini',
    caps,
    environmentNames: [
      /^GEMINI_(API_KEY|MODEL)$/,
      /^GOOGLE_(API_KEY|CLOUD_PROJECT|CLOUD_LOCATION|APPLICATION_CREDENTIALS)$/,
      /^GOOGLE_(GENAI_USE_VERTEXAI|GENAI_USE_GCA|GEMINI_BASE_URL|VERTEX_BASE_URL)$/,
    ],
    probe: (env) => probe(env, find(env), options.program),
    async prepare(run) {
      const program = find(run.env);
      if (program === null) {
        throw startFailure('not_found', 'Gemini CLI was not found.', {
          fix: 'Install Gemini CLI, or set the path of its program in the daemon’s settings.',
        });
      }
      return launchOf(run, program);
    },
    mayStartAgain: () => false,
    toolName: ({ toolId, title }) =>
      /^(.+?)__/.exec(toolId)?.[1] ?? /^(.+)-\d{10,}-\d+$/.exec(toolId)?.[1] ?? title,
    isRefused: () => false,
    words: (text) => (/^\s*[/$]/.test(text) ? `Message: ${text}` : text),
    usageOf(result) {
      const { quota } = objectOf(result._meta);
      const count = objectOf(objectOf(quota).token_count);
      const input = numberOf(count.input_tokens) ?? 0;
      return { ...noTokens, input, output: numberOf(count.output_tokens) ?? 0 };
    },
    failureOf,
    retriedBy: 'driver',
  };
}

function launchOf(run: AcpRun, program: string): AcpLaunch {
  const { spec, env, folder, agentSession } = run;
  const person = join(env.HOME ?? '/', '.gemini');
  const choice = readSettings(join(person, 'settings.json')) ?? {};
  const home = ownFolder(join(folder, 'home'));
  const own = ownFolder(join(home, '.gemini'));
  linkFiles(person, own, linkedFiles);
  const instructions = `makima-${spec.runId}.md`;
  const steered =
    spec.trusted === true &&
    settingsSay(join(spec.cwd, '.gemini', 'settings.json'), ['modelConfigs', 'security']);
  const trusted = spec.trusted === true && !steered;
  // Its own restricted mode: nothing of the repository is obeyed, and no tool server is called.
  const restricted = !trusted && existsSync(join(spec.cwd, '.gemini'));
  const told = [spec.systemAppend ?? '', ...(restricted ? [shellTools] : [])].join('\n\n');
  writeFileSync(join(own, instructions), told, { mode: 0o600 });
  const signIn = signInOf(env, person, choice);
  if (signIn === null) throw startFailure('not_signed_in', noSignIn, { fix: signInFix });
  writeJson(join(own, 'settings.json'), settingsOf({ trusted, signIn, instructions }));
  fileUnder(own, spec.cwd);
  const pastEnds = agentSession === null ? null : readyToLoad(own, agentSession);
  const model = spec.model ?? textOf(objectOf(choice.model).name);
  return {
    command: [
      program,
      '--acp',
      '--approval-mode',
      modes[spec.permission],
      ...(trusted ? [] : ['--allowed-mcp-server-names', 'makima', '--extensions', 'none']),
      ...(model === null ? [] : ['--model', model]),
    ],
    env: {
      ...env,
      ...pinned(env),
      GEMINI_CLI_HOME: home,
      GEMINI_CLI_TRUST_WORKSPACE: restricted ? 'false' : 'true',
      // Its second process would outlive a kill of the first.
      GEMINI_CLI_NO_RELAUNCH: '1',
      GEMINI_TELEMETRY_ENABLED: 'false',
      NO_BROWSER: '1',
    },
    load: agentSession === null || pastEnds === null ? null : { sessionId: agentSession, pastEnds },
    takesTools: !restricted,
    notes: [...(steered ? [steering] : []), ...(restricted ? [restrictedNote] : [])],
    preface: null,
    settle: async () => undefined,
    news: null,
  };
}

const shellTools =
  'The tools of makima are not offered to you as tools here. Use them as commands in your shell: "makima supervisor --help" lists them (makima_spawn is "makima supervisor spawn", and so on).';

const restrictedNote =
  'The repository has settings for Gemini CLI (.gemini) that take no part: it runs in its restricted mode, with makima’s tools as commands in its shell.';

/** Where the model is and how it is reached: a file of the repository fills in only what is not set. */
const pinnedNames = [
  'GOOGLE_GEMINI_BASE_URL',
  'GOOGLE_VERTEX_BASE_URL',
  'CODE_ASSIST_ENDPOINT',
  'GOOGLE_GENAI_USE_VERTEXAI',
  'GOOGLE_GENAI_USE_GCA',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

function pinned(env: Environment): Environment {
  return Object.fromEntries(pinnedNames.map((name) => [name, env[name] ?? '']));
}

const modes: Readonly<Record<StartSpec['permission'], string>> = {
  bypass: 'yolo',
  ask: 'default',
  plan: 'plan',
};

function settingsOf(options: {
  readonly trusted: boolean;
  readonly signIn: string;
  readonly instructions: string;
}): Json {
  const { trusted, signIn, instructions } = options;
  return {
    security: { auth: { selectedType: signIn } },
    general: {
      enableAutoUpdate: false,
      enableAutoUpdateNotification: false,
      maxAttempts: 1,
      sessionRetention: { enabled: false },
    },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    ide: { enabled: false },
    context: { fileName: trusted ? [instructions, 'GEMINI.md'] : [instructions] },
    hooksConfig: { enabled: trusted },
    advanced: { ignoreLocalEnv: true, autoConfigureMemory: false },
  };
}

const noSignIn = 'Nobody is signed in to Gemini CLI.';
const signInFix = 'Run "gemini" once and sign in, or set GEMINI_API_KEY.';

/** How it is signed in: what the person chose, else what their environment or an earlier sign-in says. */
function signInOf(env: Environment, person: string, choice: Json): string | null {
  const chosen = textOf(objectOf(objectOf(choice.security).auth).selectedType);
  if (chosen !== null) return chosen;
  if (env.GOOGLE_GENAI_USE_GCA === 'true') return 'oauth-personal';
  if (env.GOOGLE_GENAI_USE_VERTEXAI === 'true') return 'vertex-ai';
  if ((env.GEMINI_API_KEY ?? '') !== '' || namesKey(join(person, '.env'))) return 'gemini-api-key';
  return existsSync(join(person, 'oauth_creds.json')) ? 'oauth-personal' : null;
}

function namesKey(path: string): boolean {
  try {
    return /^\s*(export\s+)?GEMINI_API_KEY\s*=\s*\S/m.test(readFileSync(path, 'utf8'));
  } catch {
    return false;
  }
}

/** Null where a key may lie in the system's keychain. */
function isSignedIn(env: Environment): boolean | null {
  const person = join(env.HOME ?? '/', '.gemini');
  if ((env.GEMINI_API_KEY ?? env.GOOGLE_API_KEY ?? '') !== '') return true;
  if (env.GOOGLE_GENAI_USE_VERTEXAI === 'true') return true;
  if (signInFiles.some((name) => existsSync(join(person, name)))) return true;
  if (namesKey(join(person, '.env'))) return true;
  return signInOf(env, person, readSettings(join(person, 'settings.json')) ?? {}) === null
    ? false
    : null;
}

async function probe(
  env: Environment,
  path: string | null,
  configured: string | undefined,
): Promise<AgentProbe> {
  const nothing = { kind: 'gemini' as const, path, version: null, tested: false, signedIn: null };
  if (path === null) {
    const where = configured === undefined ? 'on PATH' : `at ${configured}`;
    return { ...nothing, problem: `Gemini CLI was not found ${where}. Install it, then sign in.` };
  }
  const { version, problem } = await versionOf(path, env);
  if (problem !== null) return { ...nothing, problem };
  const signedIn = isSignedIn(env);
  return {
    ...nothing,
    version,
    tested: testedLine.test(version ?? ''),
    signedIn,
    problem: signedIn === false ? `${noSignIn} ${signInFix}` : null,
  };
}
