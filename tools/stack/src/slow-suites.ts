// The suites that take long: each starts real agents, or one whole program after the other.
// Why: in a whole run they begin first, so that no worker is left alone with a long one at the end; the
// everyday check leaves out those beside the code, and CI runs every one.
// Law: longest first; a file that takes more than six seconds by itself on two cores stands here.

/** Beside the code, and left out of the everyday check. */
export const slowUnitSuites: readonly string[] = [
  'apps/daemon/src/driver/acp-opencode.test.ts',
  'apps/daemon/src/driver/acp-gemini.test.ts',
  'apps/daemon/src/driver/claude.test.ts',
  'tools/stack/src/stack.test.ts',
  'apps/cli/src/watch.test.ts',
  'apps/cli/src/cli.test.ts',
  'apps/daemon/src/driver/codex.test.ts',
  'tools/stack/src/commands/up.test.ts',
  'apps/daemon/src/daemon-start.test.ts',
  'apps/daemon/src/daemon-flood.test.ts',
  'apps/daemon/src/driver/acp.test.ts',
  'services/scheduler/src/recovery/webhook.test.ts',
  'apps/daemon/src/daemon-git.test.ts',
  'apps/cli/src/work.test.ts',
  'services/api/src/app-model.test.ts',
  'apps/cli/src/contracts.test.ts',
  'apps/daemon/src/daemon-crash.test.ts',
  'apps/daemon/src/daemon-lease.test.ts',
  'apps/cli/src/webhooks.test.ts',
  'apps/daemon/src/scripted/agent.test.ts',
  'apps/daemon/src/daemon.test.ts',
  'tools/docs/src/docs.test.ts',
  'apps/daemon/src/scripted/restoration.test.ts',
  'packages/bus/src/workers-faults.test.ts',
  'apps/daemon/src/daemon-link.test.ts',
  'services/daemon-gateway/src/drain.test.ts',
];

/** Beside the code too, and part of the everyday check. */
const longUnitSuites: readonly string[] = [
  'apps/daemon/src/git/hostile.test.ts',
  'apps/daemon/src/git/rewind.test.ts',
  'apps/daemon/src/git/random.test.ts',
  'apps/daemon/src/git/merge.test.ts',
  'apps/cli/src/supervisor.test.ts',
  'apps/daemon/src/driver/scripted.test.ts',
  'apps/daemon/src/daemon-pr.test.ts',
  'packages/engine/src/task/spawn.test.ts',
  'apps/daemon/src/git/checkpoint.test.ts',
  'apps/cli/src/supervisor-code.test.ts',
  'services/api/src/app-input.test.ts',
];

export const slowSuites: readonly string[] = [
  ...slowUnitSuites,
  ...longUnitSuites,
  'tests/e2e/src/demo.test.ts',
  'tests/e2e/src/one-house.test.ts',
  'tests/e2e/src/parking.test.ts',
  'tests/e2e/src/restoration.test.ts',
  'tests/e2e/src/verbs.test.ts',
  'tests/e2e/src/limits.test.ts',
  'tests/e2e/src/fleet.test.ts',
  'tests/e2e/src/claude-rests.test.ts',
  'tests/e2e/src/opencode.test.ts',
  'tests/e2e/src/blockers.test.ts',
  'tests/e2e/src/claude.test.ts',
  'tests/e2e/src/main-job.test.ts',
  'tests/e2e/src/pull-requests.test.ts',
  'tests/e2e/src/gemini.test.ts',
  'tests/e2e/src/permission.test.ts',
  'tests/e2e/src/security.test.ts',
  'tests/e2e/src/codex.test.ts',
  'tests/e2e/src/trust.test.ts',
];
