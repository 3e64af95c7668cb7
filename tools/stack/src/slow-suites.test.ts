// The list names files that are there, each once.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkout } from './checkout.ts';
import { slowSuites } from './slow-suites.ts';

it('names suites that are there, each once', () => {
  expect(slowSuites.filter((path) => !existsSync(join(checkout, path)))).toEqual([]);
  expect(new Set(slowSuites).size).toBe(slowSuites.length);
});
