/**
 * Only one spelling of a path is served. `//admin`, `/admin%2Fqueues`, `/%61dmin`, `/./admin` and their
 * kin find nothing, so that no router, proxy or static file can read them otherwise than the policy did.
 *
 * Law: looks at the raw request target, before anything has decoded it.
 */
import type { MiddlewareHandler } from 'hono';
import { MakimaError } from '@makima/domain/error';
import { limits } from '@makima/domain/limits';
import type { ApiEnv } from './request.ts';
import { invalid } from './problem.ts';

export function guardPath(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const target = c.env.incoming.url ?? '/';
    if (Buffer.byteLength(target) > limits.urlMaxBytes) {
      throw new MakimaError('PAYLOAD_TOO_LARGE', `a URL has at most ${limits.urlMaxBytes} bytes`, {
        details: { limitBytes: limits.urlMaxBytes },
        fix: 'leave out filters, or look at fewer things at once',
      });
    }
    const path = target.split('?', 1)[0] ?? '';
    if (hasNul(path)) throw invalid([{ pointer: '/path', detail: 'holds a NUL character' }]);
    if (!isCanonical(path)) {
      throw new MakimaError('NOT_FOUND', 'no route is spelled like this', {
        fix: 'spell the path plainly: no doubled slashes, dots, or needless percent-encoding',
      });
    }
    await next();
  };
}

/** Plain segments; percent-encoding only for what may not stand in a path as it is. */
export function isCanonical(path: string): boolean {
  if (path === '/') return true;
  if (!path.startsWith('/') || !/^[!-~]*$/.test(path)) return false;
  if (/[\\;"<>^`{|}#]/.test(path)) return false;
  return path
    .slice(1)
    .split('/')
    .every((segment, index, all) => {
      // One slash at the end is left to the router, which serves `/admin/queues/` alone with it.
      if (segment === '') return index === all.length - 1;
      return segment !== '.' && segment !== '..' && isPlainlyEncoded(segment);
    });
}

function isPlainlyEncoded(segment: string): boolean {
  if (!segment.includes('%')) return true;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    return false;
  }
  if (/[/\\;%]|\p{Cc}/u.test(decoded)) return false;
  return (
    !/%(?:2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/i.test(segment) &&
    decoded !== '.' &&
    decoded !== '..'
  );
}

function hasNul(path: string): boolean {
  return path.includes('\0') || /%00/.test(path);
}
