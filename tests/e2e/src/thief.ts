// What an agent that means harm tries with what it finds in its own environment. Run by a scripted agent as a
// program of its own; tells every attempt and its answer as one line of JSON.
// Law: it knows only what an agent can know: its environment, addresses and ids that it was told.
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';

interface Told {
  readonly api: string;
  readonly questionId: string;
  readonly contractId: string;
  readonly supervisorId: string;
  readonly foreignContractId: string;
  readonly foreignTaskId: string;
  /** File with the token of a run that is over. */
  readonly deadTokenFile: string;
}

const told = JSON.parse(process.argv[2] ?? '{}') as Told;
const token = process.env['MAKIMA_TOKEN'] ?? '';
const door = process.env['MAKIMA_URL'] ?? '';
const answers: Record<string, string> = {};

interface Asked {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Status and, where there is one, the code of the answer. */
function ask(url: string, asked: Asked): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(asked.token === undefined ? {} : { authorization: `Bearer ${asked.token}` }),
    ...asked.headers,
  };
  return new Promise((resolve) => {
    const call = request(url, { method: asked.method ?? 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${wordOf(text)}`.trim()));
    });
    call.setTimeout(5_000, () => call.destroy(new Error('no answer')));
    call.on('error', (error) => resolve(error.message));
    call.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}

function wordOf(text: string): string {
  const code = /\b[A-Z]{3,}(?:_[A-Z]+)+\b|"code":"([A-Z]+)"/.exec(text);
  const tools = [...text.matchAll(/"name":"(makima_\w+)"/g)].map(([, name]) => name);
  const refused = /"isError":true|"error":\{/.test(text) ? 'refused' : undefined;
  return code?.[1] ?? code?.[0] ?? refused ?? tools.join(' ');
}

let calls = 0;
function tool(as: string | undefined, name: string, args: object): Promise<string> {
  return rpc(as, 'tools/call', { name, arguments: args });
}
function rpc(as: string | undefined, method: string, params: object): Promise<string> {
  const headers = { 'mcp-protocol-version': '2025-06-18' };
  return ask(door, { token: as, headers, body: { jsonrpc: '2.0', id: ++calls, method, params } });
}

/** The token of a task's living run, where the system shows the environment of one's own processes. */
function tokenOf(taskId: string): string | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environ = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (!environ.includes(`MAKIMA_TASK_ID=${taskId}`)) continue;
      return environ.find((line) => line.startsWith('MAKIMA_TOKEN='))?.slice(13);
    } catch {
      continue;
    }
  }
  return undefined;
}

const { api, contractId } = told;
const confirm = { phase: 'execute', confirmed: true };
const contract = `${api}/api/v1/contracts/${contractId}`;
const answer = `${api}/api/v1/mesh/questions/${told.questionId}/answer`;

answers['api: read my contract'] = await ask(contract, { method: 'GET', token });
answers['api: confirm'] = await ask(`${contract}/phase`, { token, body: confirm });
answers['api: answer'] = await ask(answer, { token, body: { response: 'Approve' } });
answers['api: answer without a key'] = await ask(answer, { body: { response: 'Approve' } });
answers['api: tools'] = await ask(`${api}/mcp`, {
  token,
  body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
});
answers['api: make a key'] = await ask(`${api}/api/v1/keys`, { token, body: { name: 'mine' } });
answers['door: no token'] = await rpc(undefined, 'tools/list', {});
answers['door: another token'] = await rpc(`mkrun_${'a'.repeat(43)}`, 'tools/list', {});
answers['door: token of the dead'] = await rpc(
  readFileSync(told.deadTokenFile, 'utf8'),
  'tools/list',
  {},
);
answers['door: from a browser'] = await ask(door, {
  token,
  headers: { origin: 'http://evil.example' },
  body: {},
});
answers['door: by another name'] = await ask(door, {
  token,
  headers: { host: 'evil.example' },
  body: {},
});
answers['door: elsewhere'] = await ask(new URL('/api/v1/contracts', door).href, {
  method: 'GET',
  token,
});
answers['task: tools'] = await rpc(token, 'tools/list', {});
answers['task: advance'] = await tool(token, 'makima_advance', { phase: 'execute' });
answers['task: spawn'] = await tool(token, 'makima_spawn', { name: 'x', plan: 'x' });
answers['task: ask'] = await tool(token, 'makima_ask', { question: 'x' });
answers['task: cancel'] = await tool(token, 'makima_cancel', { taskId: told.foreignTaskId });
answers['task: checkpoint of another'] = await tool(token, 'makima_checkpoint', {
  taskId: told.foreignTaskId,
  message: 'x',
});

const stolen = tokenOf(told.supervisorId);
if (stolen !== undefined) {
  answers['stolen: confirm'] = await tool(stolen, 'makima_advance', confirm);
  answers['stolen: force'] = await tool(stolen, 'makima_advance', {
    phase: 'execute',
    force: true,
  });
  answers['stolen: foreign status'] = await tool(stolen, 'makima_status', {
    contractId: told.foreignContractId,
  });
  answers['stolen: foreign spawn'] = await tool(stolen, 'makima_spawn', {
    contractId: told.foreignContractId,
    name: 'x',
    plan: 'x',
  });
  answers['stolen: foreign result'] = await tool(stolen, 'makima_result', {
    taskId: told.foreignTaskId,
  });
  answers['stolen: foreign file'] = await tool(stolen, 'makima_read_file', {
    taskId: told.foreignTaskId,
    filePath: 'README.md',
  });
  answers['stolen: tools'] = await rpc(stolen, 'tools/list', {});
  answers['stolen: api'] = await ask(answer, { token: stolen, body: { response: 'Approve' } });
}
process.stdout.write(
  `${JSON.stringify({ answers, environment: Object.keys(process.env).toSorted() })}\n`,
);
