// One test run for the whole workspace: unit tests beside the code, and end-to-end two at a time.
// Why: most of a test is waiting for processes, so more run at once than there are cores; an end-to-end test
// starts a whole stack, of which two at once fill two cores.
// Law: every run has its own Postgres and Redis, see tools/stack/src/test-setup.ts.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['tools/stack/src/test-setup.ts'],
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages', 'services', 'apps', 'tools'].map((dir) => `${dir}/*/**/*.test.ts`),
          testTimeout: 20_000,
          hookTimeout: 30_000,
          maxWorkers: 3,
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
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
