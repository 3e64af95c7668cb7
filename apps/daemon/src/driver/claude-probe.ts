/**
 * Finds Claude Code on this machine and tells its version and whether somebody is signed in, without asking
 * any model.
 *
 * Law: reads nothing but the presence of credentials, never their content. An account is named by a digest of
 * its id, which is no credential.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentProbe } from './driver.ts';
import type { Environment } from './environment.ts';
import { findProgram, versionOf } from './find-program.ts';
import { jsonOf, objectOf, textOf, type Json } from './json.ts';

/** Versions that the conformance suite was run with: this minor line, from the first to the last. */
const testedLine = { major: 2, minor: 1, fromPatch: 329 };

export interface ClaudeProbe extends AgentProbe {
  readonly kind: 'claude';
}

export function findClaude(env: Environment, configured: string | undefined): string | null {
  return findProgram('claude', env, configured);
}

export async function probeClaude(
  env: Environment,
  configured: string | undefined,
): Promise<ClaudeProbe> {
  const path = findClaude(env, configured);
  const nothing = { kind: 'claude' as const, path, version: null, tested: false, signedIn: null };
  if (path === null) {
    const where = configured === undefined ? 'on PATH' : `at ${configured}`;
    return { ...nothing, problem: `Claude Code was not found ${where}. Install it, then sign in.` };
  }
  const { version, problem } = await versionOf(path, env);
  if (problem !== null) return { ...nothing, problem };
  const signedIn = isSignedIn(env);
  const account = accountName(env);
  return {
    kind: 'claude',
    path,
    version,
    tested: isTested(version),
    signedIn,
    ...(account === null ? {} : { account }),
    problem:
      signedIn === false
        ? 'Nobody is signed in to Claude Code. Run "claude" once and sign in.'
        : null,
  };
}

/** Null where it cannot be told (the system's keychain). */
function isSignedIn(env: Environment): boolean | null {
  if (isKeyed(env)) return true;
  const { config, accounts } = placesOf(env);
  if (existsSync(join(config, '.credentials.json'))) return true;
  const known = accounts.map(readJson);
  if (known.some((one) => one?.oauthAccount !== undefined || one?.primaryApiKey !== undefined))
    return true;
  return process.platform === 'darwin' ? null : false;
}

/** A key or token of the environment stands before whoever is signed in. */
function isKeyed(env: Environment): boolean {
  return [
    env.ANTHROPIC_API_KEY,
    env.ANTHROPIC_AUTH_TOKEN,
    env.CLAUDE_CODE_OAUTH_TOKEN,
    env.CLAUDE_CODE_USE_BEDROCK,
    env.CLAUDE_CODE_USE_VERTEX,
  ].some((value) => value !== undefined && value !== '');
}

function placesOf(env: Environment): { readonly config: string; readonly accounts: string[] } {
  const home = env.HOME ?? '/';
  const config = env.CLAUDE_CONFIG_DIR ?? join(home, '.claude');
  return { config, accounts: [join(config, '.claude.json'), join(home, '.claude.json')] };
}

/** The account that is signed in: its limits are the same on every machine. Whose a key is, nobody says. */
function accountName(env: Environment): string | null {
  if (isKeyed(env)) return null;
  for (const known of placesOf(env).accounts.map(readJson)) {
    const id = textOf(objectOf(known?.oauthAccount).accountUuid);
    if (id !== null) return `plan-${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
  }
  return null;
}

function readJson(path: string): Json | null {
  try {
    return jsonOf(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

function isTested(version: string | null): boolean {
  const [major, minor, patch] = (version ?? '').split('.').map(Number);
  return (
    major === testedLine.major && minor === testedLine.minor && (patch ?? 0) >= testedLine.fromPatch
  );
}
