/**
 * Finds Codex on this machine and tells its version and whether somebody is signed in, without asking any model.
 *
 * Law: reads nothing but the presence of credentials, never their content; the person's home of Codex is not
 * touched, not even by asking for the version.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PersonsChoice } from './codex-settings.ts';
import { personsChoice, personsHome } from './codex-settings.ts';
import type { AgentProbe } from './driver.ts';
import type { Environment } from './environment.ts';
import { findProgram, versionOf } from './find-program.ts';

/** Versions that the conformance suite was run with: this minor line. Its protocol moves with each. */
const testedLine = '0.169.';

export interface CodexProbe extends AgentProbe {
  readonly kind: 'codex';
}

export function findCodex(env: Environment, configured: string | undefined): string | null {
  return findProgram('codex', env, configured);
}

/** `full`: the daemon's environment, in which the keys of a chosen house may stand. */
export async function probeCodex(
  env: Environment,
  full: NodeJS.ProcessEnv,
  configured: string | undefined,
): Promise<CodexProbe> {
  const path = findCodex(env, configured);
  const nothing = { kind: 'codex' as const, path, version: null, tested: false, signedIn: null };
  if (path === null) {
    const where = configured === undefined ? 'on PATH' : `at ${configured}`;
    const fix = 'Install it (npm install -g @openai/codex), then run "codex login".';
    return { ...nothing, problem: `Codex was not found ${where}. ${fix}` };
  }
  const { version, problem } = await askVersion(path, env);
  if (problem !== null) return { ...nothing, problem };
  const found = { ...nothing, version, tested: version?.startsWith(testedLine) === true };
  const home = personsHome(env);
  try {
    return { ...found, ...signInOf(personsChoice(home), home, full) };
  } catch (cause) {
    return { ...found, problem: (cause as Error).message };
  }
}

/** In a home of its own: Codex makes folders in it whatever it is asked. */
async function askVersion(path: string, env: Environment): ReturnType<typeof versionOf> {
  const home = mkdtempSync(join(tmpdir(), 'makima-codex-'));
  try {
    return await versionOf(path, { ...env, CODEX_HOME: home });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function signInOf(
  choice: PersonsChoice,
  home: string,
  full: NodeJS.ProcessEnv,
): Pick<AgentProbe, 'signedIn' | 'problem'> {
  if (choice.signIn === 'not_needed') {
    const missing = choice.keyNames.find((name) => (full[name] ?? '') === '');
    if (missing === undefined) return { signedIn: true, problem: null };
    const fix = `Set ${missing} in the daemon's environment.`;
    return { signedIn: false, problem: `The key of the house that Codex asks is missing. ${fix}` };
  }
  if (existsSync(join(home, 'auth.json'))) return { signedIn: true, problem: null };
  if (choice.signIn === 'keychain') {
    const fix = 'Set cli_auth_credentials_store = "file" in its config.toml and run "codex login".';
    return {
      signedIn: false,
      problem: `The sign-in to Codex is in the system's keychain, where runs of makima cannot use it. ${fix}`,
    };
  }
  const fix = 'Run "codex login" (with a key: "codex login --with-api-key").';
  return { signedIn: false, problem: `Nobody is signed in to Codex. ${fix}` };
}
