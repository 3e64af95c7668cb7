// The shell of an agent, open to a test: runs `makima supervisor` and calls tools with what the agent has.
// Why: what a supervisor can do has to be tried from where it stands: its environment, its directory, its door.
// Law: it knows nothing but its environment; it says on which loopback port it listens, and ends when told.
// Usage, by an agent: node agent-shell.ts <file for the port>
import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [portFile = ''] = process.argv.slice(2);
const { MAKIMA_URL: door = '', MAKIMA_TOKEN: token = '' } = process.env;

/** Asked by POST, one of these; answered as JSON. */
export type ShellAsk =
  | { readonly cli: readonly string[]; readonly stdin?: string }
  | { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly end: true };

export interface CliAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolAnswer {
  readonly value: unknown;
  /** The error whole, when the tool refused. */
  readonly problem: unknown;
}

const mcp = new Client({ name: 'agent', version: '1' });
const requestInit = { headers: { authorization: `Bearer ${token}` } };
await mcp.connect(new StreamableHTTPClientTransport(new URL(door), { requestInit }));

async function callTool({ tool, args }: Extract<ShellAsk, { tool: string }>): Promise<ToolAnswer> {
  const result = await mcp.callTool({ name: tool, arguments: args }, { timeout: 120_000 });
  return {
    value: result.isError === true ? null : result.structuredContent,
    problem: result._meta?.['makima/problem'] ?? null,
  };
}

function runCli({
  cli,
  stdin = '',
}: Extract<ShellAsk, { cli: readonly string[] }>): Promise<CliAnswer> {
  const child = spawn('makima', ['supervisor', ...cli], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(stdin);
  return Promise.all([
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
    text(child.stdout),
    text(child.stderr),
  ]).then(([code, stdout, stderr]) => ({ code, stdout, stderr }));
}

const server = createServer((request, response) => {
  const answer = async (): Promise<unknown> => {
    const ask = JSON.parse(await text(request)) as ShellAsk;
    if ('cli' in ask) return runCli(ask);
    if ('tool' in ask) return callTool(ask);
    setImmediate(() => void mcp.close().then(() => process.exit(0)));
    return {};
  };
  answer()
    .catch((error: unknown) => ({ broken: String(error) }))
    .then((value) => response.end(JSON.stringify(value)))
    .catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  // Whole or not at all: the test looks for it all the time.
  writeFileSync(`${portFile}.new`, String((server.address() as AddressInfo).port));
  renameSync(`${portFile}.new`, portFile);
});
