// The suites that take long: each starts real agents, or one whole program after the other.
// Why: in a whole run they begin first, so that no worker is left alone with a long one at the end; the
// everyday check leaves out those beside the code, and CI runs every one.
// Law: longest first; a file that takes more than six seconds by itself on two cores stands here.

/** Beside the code. */
export const slowUnitSuites: readonly string[] = [
  'apps/daemon/src/driver/acp-opencode.test.ts',
  'apps/daemon/src/driver/acp-gemini.test.ts',
  'apps/daemon/src/driver/claude.test.ts',
  'apps/daemon/src/driver/codex.test.ts',
  'tools/stack/src/stack.test.ts',
  'apps/cli/src/watch.test.ts',
  'services/scheduler/src/recovery/webhook.test.ts',
  'services/api/src/app-model.test.ts',
  'tools/stack/src/commands/up.test.ts',
  'apps/cli/src/cli.test.ts',
  'apps/daemon/src/daemon-start.test.ts',
  'tools/docs/src/docs.test.ts',
  'apps/daemon/src/driver/acp.test.ts',
  'apps/daemon/src/daemon-git.test.ts',
  'apps/daemon/src/daemon-flood.test.ts',
  'apps/daemon/src/daemon-crash.test.ts',
  'apps/cli/src/work.test.ts',
  'apps/daemon/src/daemon-lease.test.ts',
  'apps/daemon/src/scripted/restoration.test.ts',
  'packages/bus/src/workers-faults.test.ts',
  'apps/daemon/src/daemon.test.ts',
  'apps/cli/src/contracts.test.ts',
  'apps/daemon/src/scripted/agent.test.ts',
  'apps/daemon/src/daemon-link.test.ts',
  'services/daemon-gateway/src/drain.test.ts',
  'apps/cli/src/webhooks.test.ts',
];

export const slowSuites: readonly string[] = [
  ...slowUnitSuites,
  'tests/e2e/src/demo.test.ts',
  'tests/e2e/src/one-house.test.ts',
  'tests/e2e/src/restoration.test.ts',
  'tests/e2e/src/limits.test.ts',
  'tests/e2e/src/fleet.test.ts',
  'tests/e2e/src/parking.test.ts',
  'tests/e2e/src/verbs.test.ts',
  'tests/e2e/src/claude-rests.test.ts',
  'tests/e2e/src/opencode.test.ts',
  'tests/e2e/src/blockers.test.ts',
  'tests/e2e/src/permission.test.ts',
];
