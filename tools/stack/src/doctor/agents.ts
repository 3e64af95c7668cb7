// The agents of this machine: which are there, in which version, and whether somebody is signed in.
// Why: a contract that nobody here can lead is most often a sign-in that is missing.
// Law: asks the daemon's own drivers, so that doctor and daemon never differ; no model is called.
import { daemonDrivers } from '@makima/daemon/drivers';
import { homeAt } from '@makima/daemon/home';
import { wordsOf } from '@makima/runtime/config';
import { pass, warn, type Check, type CheckResult } from './check.ts';

type Driver = ReturnType<typeof daemonDrivers>[number];

export const checkAgents: Check = async ({ home, env }) => {
  const config = {
    environment: env,
    claudePath: env.MAKIMA_CLAUDE_PATH ?? null,
    codexPath: env.MAKIMA_CODEX_PATH ?? null,
    geminiPath: env.MAKIMA_GEMINI_PATH ?? null,
    opencodePath: env.MAKIMA_OPENCODE_PATH ?? null,
    acpCommand: wordsOf(env.MAKIMA_ACP_COMMAND ?? ''),
    acpEnvironment: [],
  };
  const drivers = daemonDrivers(config, homeAt(home.daemon));
  // The scripted one is makima's own and always there.
  const real = drivers.filter(({ kind }) => kind !== 'scripted');
  const found = (await Promise.all(real.map(look))).filter((result) => result !== null);
  if (found.length > 0) return found;
  return warn(
    'agents',
    `none of ${real.map(({ kind }) => kind).join(', ')} on PATH; the scripted agent and the demo work without`,
    'npm install -g @anthropic-ai/claude-code, then sign in with: claude',
  );
};

/** Null for an agent that is not there. */
async function look(driver: Driver): Promise<CheckResult | null> {
  const { path, version, tested, signedIn, problem } = await driver.probe();
  if (path === null) return null;
  const name = `agent ${driver.kind}`;
  const what = `${version ?? 'unknown version'} at ${path}`;
  if (problem !== null) {
    const [trouble, fix] = sentences(problem);
    return warn(name, `${what}: ${trouble}`, fix ?? `run ${path} by hand to see why`);
  }
  const who = signedIn === null ? 'who is signed in cannot be told' : 'signed in';
  if (tested) return pass(name, `${what}, ${who}`);
  return warn(
    name,
    `${what}, ${who}; this version was not tested`,
    'nothing has to be done; where it misbehaves, install a tested one (docs/reference/agents.md)',
  );
}

/** What is missing, and how to mend it. */
function sentences(problem: string): readonly [string, string | undefined] {
  const end = problem.indexOf('. ');
  return end < 0 ? [problem, undefined] : [problem.slice(0, end), problem.slice(end + 2)];
}
