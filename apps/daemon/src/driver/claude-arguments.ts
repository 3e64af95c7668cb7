/**
 * How Claude Code is called: arguments, environment, and the two files (settings, MCP servers) in the run's
 * own home.
 *
 * Law: isolated: the person's settings, hooks, MCP servers and instructions take no part, the repository's only
 * when it is trusted, and never in where the model is; no traffic but to the model, and no token on a command
 * line.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';
import { isJson, jsonOf } from './json.ts';

/** The person's own variables that are about Claude Code and may reach it. */
export const claudeNames: readonly RegExp[] = [
  /^ANTHROPIC_/,
  /^CLAUDE_CONFIG_DIR$/,
  /^CLAUDE_CODE_OAUTH_TOKEN$/,
  /^CLAUDE_CODE_(USE_BEDROCK|USE_VERTEX|MAX_RETRIES|API_KEY_HELPER_TTL_MS)$/,
  /^(AWS_(REGION|PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|BEARER_TOKEN_BEDROCK))$/,
  /^(GOOGLE_APPLICATION_CREDENTIALS|CLOUD_ML_REGION)$/,
  /^(API_TIMEOUT_MS|MAX_THINKING_TOKENS|DISABLE_TELEMETRY)$/,
];

/** Features that reach beyond the run, or that makima does itself. */
const disallowedTools = [
  'ListAgents',
  'SendMessage',
  'CronCreate',
  'CronDelete',
  'CronList',
  'ScheduleWakeup',
  'EnterWorktree',
  'ExitWorktree',
  'Workflow',
  'Monitor',
];

const dayMs = 86_400_000;
const shellMs = 7_200_000;

/** Where the model is and how it is reached: a repository has no say, also when it is trusted. */
const pinnedNames = [
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_BEDROCK_BASE_URL',
  'ANTHROPIC_VERTEX_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

const settings = {
  attribution: { commit: '', pr: '' },
  includeCoAuthoredBy: false,
  autoMemoryEnabled: false,
  cleanupPeriodDays: 3650,
};

export function claudeEnvironment(spec: StartSpec): Environment {
  return {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_SDK_READS_SESSION_STATE: '1',
    CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: '0',
    CLAUDE_CODE_MCP_TOOL_IDLE_TIMEOUT: '0',
    MCP_TOOL_TIMEOUT: String(dayMs),
    BASH_DEFAULT_TIMEOUT_MS: String(shellMs),
    BASH_MAX_TIMEOUT_MS: String(shellMs),
    // As root it refuses to run unasked unless it is told that it is fenced in.
    ...(process.getuid?.() === 0 && spec.permission === 'bypass' ? { IS_SANDBOX: '1' } : {}),
  };
}

/** Writes the run's files and gives the arguments. `own`: the environment that the agent is started with. */
export function claudeArguments(spec: StartSpec, own: Environment): readonly string[] {
  mkdirSync(spec.home, { recursive: true, mode: 0o700 });
  const ours = spec.trusted === true ? { ...settings, env: pinned(own) } : settings;
  const settingsFile = writeJson(join(spec.home, 'settings.json'), ours);
  const serversFile = writeJson(join(spec.home, 'mcp.json'), { mcpServers: serversOf(spec) });
  const { limits } = spec;
  const parts: readonly (readonly string[])[] = [
    ['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
    [spec.mode === 'new' ? '--session-id' : '--resume', spec.sessionId],
    ['--permission-prompt-tool', 'stdio', ...permissionOf(spec)],
    ['--include-partial-messages', '--replay-user-messages', '--session-mirror'],
    ['--mcp-config', serversFile, ...projectServers(spec), '--strict-mcp-config'],
    ['--disallowedTools', disallowedTools.join(',')],
    ['--settings', settingsFile, '--setting-sources', spec.trusted === true ? 'project' : ''],
    option('--append-system-prompt', spec.systemAppend),
    option('--model', spec.model),
    option('--max-turns', limits?.maxTurns),
    option('--max-budget-usd', limits?.maxBudgetUsd),
  ];
  return parts.flat();
}

/** Settings of a command line stand above those of a repository; an empty variable counts as none. */
function pinned(own: Environment): Environment {
  return Object.fromEntries(pinnedNames.map((name) => [name, own[name] ?? '']));
}

function option(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [name, String(value)];
}

function permissionOf(spec: StartSpec): readonly string[] {
  if (spec.permission === 'bypass') return ['--dangerously-skip-permissions'];
  const mode = spec.permission === 'plan' ? 'plan' : 'default';
  // What makima's own tools may do is the server's to say, not a prompt's.
  return ['--permission-mode', mode, '--allowedTools', 'mcp__makima'];
}

/** The token comes out of the environment when the server is called; `alwaysLoad` shows its tools at once. */
function serversOf(spec: StartSpec): Readonly<Record<string, unknown>> {
  if (spec.tools === undefined) return {};
  return {
    makima: {
      type: 'http',
      url: spec.tools.url,
      headers: { Authorization: 'Bearer ${MAKIMA_TOKEN}' },
      alwaysLoad: true,
      timeout: dayMs,
    },
  };
}

/** The tool servers of a trusted repository; a file that cannot be read would fail the start. */
function projectServers(spec: StartSpec): readonly string[] {
  if (spec.trusted !== true) return [];
  const path = join(spec.cwd, '.mcp.json');
  try {
    return isJson(jsonOf(readFileSync(path, 'utf8'))?.mcpServers) ? [path] : [];
  } catch {
    return [];
  }
}

function writeJson(path: string, value: unknown): string {
  writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  return path;
}
