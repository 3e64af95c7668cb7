// One test run for the whole workspace: unit tests beside the code, then end-to-end one at a time.
// Why: an end-to-end test starts a whole stack; two of them on two cores only wait for each other.
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
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
