/**
 * What to say to a request that found no route: the methods that the path knows, or the route that looks
 * most like it.
 *
 * Law: only described routes are named; nothing of another caller's data can be.
 */
import { endpointList } from '@makima/contracts/http/all';
import { MakimaError } from '@makima/domain/error';

interface Known {
  readonly method: string;
  readonly path: string;
  readonly pattern: RegExp;
}

/** Routes that have no description because they are no JSON endpoints. */
export const undescribedRoutes: readonly { readonly method: string; readonly path: string }[] = [
  { method: 'POST', path: '/mcp' },
  { method: 'GET', path: '/openapi.json' },
  { method: 'GET', path: '/reference' },
  { method: 'GET', path: '/reference/problems' },
  { method: 'GET', path: '/reference/{file}' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/admin' },
  { method: 'POST', path: '/admin/session' },
  { method: 'DELETE', path: '/admin/session' },
  { method: 'GET', path: '/admin/queues' },
];

const known: readonly Known[] = [...endpointList, ...undescribedRoutes].map(({ method, path }) => ({
  method,
  path,
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** 405 with the methods there are, or 404 with the nearest route. */
export function noRoute(method: string, path: string): MakimaError {
  const allow = [
    ...new Set(known.filter((route) => route.pattern.test(path)).map((route) => route.method)),
  ];
  if (allow.length > 0) {
    if (allow.includes('GET')) allow.push('HEAD');
    return new MakimaError(
      'METHOD_NOT_ALLOWED',
      `${path.slice(0, 200)} does not know ${method.slice(0, 20)}`,
      {
        details: { allow },
        fix: `use ${allow.join(' or ')}`,
      },
    );
  }
  const asked = path.slice(0, 200);
  const nearest = known
    .map((route) => ({ route, distance: farFrom(route, method, asked) }))
    .toSorted((one, other) => one.distance - other.distance)[0];
  return new MakimaError('NOT_FOUND', 'there is no such route', {
    fix:
      nearest === undefined
        ? 'GET /openapi.json'
        : `did you mean ${nearest.route.method} ${nearest.route.path}?`,
  });
}

/** The prefix of the API is easily forgotten, and so is that of what agents do, too. */
function farFrom(route: Known, method: string, path: string): number {
  const ofMesh = path.replace('/api/v1/', '/api/v1/mesh/');
  const far = Math.min(
    distance(path, route.path),
    distance(`/api/v1${path}`, route.path) + 2,
    distance(ofMesh, route.path) + 2,
  );
  return far + (route.method === method ? 0 : 1);
}

/** Edits from one text to the other; a parameter of the pattern may be anything. */
function distance(path: string, pattern: string): number {
  const given = path.split('/');
  const wanted = pattern.split('/');
  let sum = Math.abs(given.length - wanted.length) * 8;
  for (let i = 0; i < Math.min(given.length, wanted.length); i++) {
    const want = wanted[i] ?? '';
    sum += want.startsWith('{') ? 1 : edits(given[i] ?? '', want);
  }
  return sum;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
