/** The official client of MCP, against an API under test. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** `legacy`: the protocol of 2025; `auto`: the newest that both speak. */
export type Era = 'legacy' | 'auto';

export async function connectMcp(url: string, key: string, era: Era = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  return client;
}

export interface Called {
  readonly isError: boolean;
  readonly text: string;
  readonly value: any;
  /** The error whole, as HTTP would answer it. */
  readonly problem: unknown;
}

export async function callTool(
  client: Client,
  name: string,
  args: object,
  toolUseId?: string,
): Promise<Called> {
  const _meta = toolUseId === undefined ? {} : { 'claudecode/toolUseId': toolUseId };
  const result = await client.callTool(
    { name, arguments: args as Record<string, unknown>, _meta },
    { timeout: 20_000 },
  );
  const [first] = result.content as { type: string; text: string }[];
  return {
    isError: result.isError === true,
    text: first?.text ?? '',
    value: result.structuredContent,
    problem: result._meta?.['makima/problem'],
  };
}
