// One test run for the whole workspace: unit tests beside the code, then end-to-end.
// Why: tests wait more than they work, for processes, stores and git; so more of them run at a time than
// there are cores, yet few enough that what they wait for comes in time.
// Law: every worker has its own Postgres, see tools/stack/src/test-setup.ts. The files of a project share the
// modules of their worker: a test leaves no module, environment or working directory changed.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/stack/src/test-order.ts';

const cores = availableParallelism();
const compileCache = process.env.NODE_COMPILE_CACHE ?? resolve(import.meta.dirname, '.cache/v8');

export default defineConfig({
  test: {
    globalSetup: ['tools/stack/src/test-setup.ts'],
    restoreMocks: true,
    isolate: false,
    // The programs that tests start begin in half the time.
    env: { NODE_COMPILE_CACHE: compileCache },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages', 'services', 'apps', 'tools'].map((dir) => `${dir}/*/**/*.test.ts`),
          testTimeout: 20_000,
          hookTimeout: 30_000,
          maxWorkers: cores + 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          maxWorkers: Math.max(3, Math.floor(cores / 2)),
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
