/** One spelling of a path is served; every other finds nothing. */
import { describe, expect, it } from 'vitest';
import { isCanonical } from './guard-path.ts';

describe('a canonical path', () => {
  it.each([
    '/',
    '/livez',
    '/admin/queues',
    '/admin/queues/',
    '/api/v1/contracts/a%20b',
    '/a/b.c_d~e-f',
    '/%C3%A4',
  ])('is %s', (path) => expect(isCanonical(path)).toBe(true));

  it.each([
    '//admin',
    '/admin//queues',
    '/admin%2Fqueues',
    '/admin%2fqueues',
    '/%61dmin/queues',
    '/./admin',
    '/admin/../livez',
    '/admin/%2e%2e/x',
    '/admin/%2E',
    '/admin;x=1',
    '/admin%3Bx',
    '/admin\\queues',
    '/admin%5Cqueues',
    '/admin%255Cqueues',
    '/admin%',
    '/admin%zz',
    '/a%00',
    '/a%0Ab',
    '/a"b',
    '/ä',
    'http://host/livez',
    '*',
    '',
  ])('is not %s', (path) => expect(isCanonical(path)).toBe(false));
});
