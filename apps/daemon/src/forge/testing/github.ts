/**
 * A server that speaks GitHub's REST as far as makima uses it, for tests: it keeps pull requests by head, and
 * misbehaves when it is told to.
 *
 * Law: it answers what GitHub answers, shapes and codes included; what it was asked is kept.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FakePull {
  readonly number: number;
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  headSha: string;
  state: 'open' | 'closed';
  mergedAt: string | null;
}

/** What the next request that fits is met with, once. */
export interface Mishap {
  readonly method: 'GET' | 'POST';
  /**
   * `hang`: no answer ever. `cut`: the connection ends before an answer. `late_hang`, `late_cut`: the same, but
   * what was asked is done. `garbage`: no JSON.
   */
  readonly how:
    | 'hang'
    | 'cut'
    | 'late_hang'
    | 'late_cut'
    | 'garbage'
    | {
        readonly status: number;
        readonly body?: object;
        readonly headers?: Record<string, string>;
      };
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> | null;
}

export interface FakeGitHub {
  readonly url: string;
  readonly pulls: FakePull[];
  readonly asked: Asked[];
  readonly mishaps: Mishap[];
  stop(): Promise<void>;
}

export interface FakeGitHubOptions {
  readonly token: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly defaultBranch?: string;
  /** The commit of a branch at the remote; null: it was not pushed. */
  readonly headOf: (branch: string) => string | null;
}

export async function startGitHub(options: FakeGitHubOptions): Promise<FakeGitHub> {
  const state = { pulls: [] as FakePull[], asked: [] as Asked[], mishaps: [] as Mishap[] };
  const server = createServer((request, response) => {
    serve(options, state, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...state,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type State = Pick<FakeGitHub, 'pulls' | 'asked' | 'mishaps'>;

async function serve(
  options: FakeGitHubOptions,
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? '';
  const url = new URL(request.url ?? '/', 'http://forge');
  const sent = await text(request);
  const body = sent === '' ? null : (JSON.parse(sent) as Record<string, unknown>);
  state.asked.push({ method, path: `${url.pathname}${url.search}`, body });
  const at = state.mishaps.findIndex((mishap) => mishap.method === method);
  const [mishap] = at === -1 ? [] : state.mishaps.splice(at, 1);
  if (mishap?.how === 'hang') return;
  if (mishap?.how === 'cut') return void response.destroy();
  if (mishap?.how === 'garbage') return void response.end('<html>');
  if (typeof mishap?.how === 'object') {
    const { status, body: said = {}, headers = {} } = mishap.how;
    return answer(response, status, said, headers);
  }
  if (request.headers.authorization !== `Bearer ${options.token}`)
    return answer(response, 401, { message: 'Bad credentials' });
  const base = `/repos/${options.repository}`;
  if (url.pathname !== base && url.pathname !== `${base}/pulls`)
    return answer(response, 404, { message: 'Not Found' });
  if (method === 'GET' && url.pathname === base)
    return answer(response, 200, { default_branch: options.defaultBranch ?? 'main' });
  if (method === 'GET') return answer(response, 200, list(options, state, url.searchParams));
  const [status, made] = create(options, state, body ?? {});
  if (mishap?.how === 'late_hang') return;
  if (mishap?.how === 'late_cut') return void response.destroy();
  answer(response, status, made);
}

function list(options: FakeGitHubOptions, { pulls }: State, query: URLSearchParams): object[] {
  const [owner] = options.repository.split('/');
  const wanted = query.get('state') ?? 'open';
  return pulls
    .filter((pull) => query.get('head') === null || query.get('head') === `${owner}:${pull.head}`)
    .filter((pull) => wanted === 'all' || pull.state === wanted)
    .toReversed()
    .map((pull) => shown(options, pull));
}

function create(
  options: FakeGitHubOptions,
  { pulls }: State,
  body: Record<string, unknown>,
): [number, object] {
  const { head, base, title, body: words } = body as Record<string, string>;
  const headSha = options.headOf(head ?? '');
  const fail = (message: string): [number, object] => [
    422,
    {
      message: 'Validation Failed',
      errors: [{ resource: 'PullRequest', code: 'custom', message }],
    },
  ];
  if (headSha === null) return fail('head: invalid');
  if (pulls.some((pull) => pull.head === head && pull.state === 'open'))
    return fail(`A pull request already exists for ${options.repository.split('/')[0]}:${head}.`);
  const pull: FakePull = {
    number: pulls.length + 7,
    head: head ?? '',
    base: base ?? '',
    title: title ?? '',
    body: words ?? '',
    headSha,
    state: 'open',
    mergedAt: null,
  };
  pulls.push(pull);
  return [201, shown(options, pull)];
}

function shown({ repository, headOf }: FakeGitHubOptions, pull: FakePull): object {
  const { number, head, base, title, body, state, mergedAt } = pull;
  return {
    id: number * 1_000,
    number,
    html_url: `https://forge.example/${repository}/pull/${number}`,
    state,
    title,
    body,
    draft: false,
    merged_at: mergedAt,
    head: { ref: head, sha: state === 'open' ? (headOf(head) ?? pull.headSha) : pull.headSha },
    base: { ref: base, sha: '0'.repeat(40) },
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}
