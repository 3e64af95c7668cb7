/** What a daemon answers when a contract is cleaned up, for tests that look at what comes after. */
import { sha, type TestDaemon } from './test-daemon.ts';
import { runJobs, type TestEngine } from './test-engine.ts';

/** Everything that a clean-up asks of the daemon is done. */
export async function cleanUp(t: TestEngine, daemon: TestDaemon): Promise<void> {
  for (let round = 0; round < 6; round += 1) {
    await runJobs(t);
    for (const command of await daemon.pull()) {
      if (command.kind === 'task.stop') await daemon.ended(command, { outcome: 'stopped' });
      if (command.kind === 'workdir.clean')
        await daemon.finish(command.operationId, {
          kind: 'workdir.clean',
          keptRefs: [`refs/makima/kept/${command.taskId}`],
        });
      if (command.kind === 'branch.deliver')
        await daemon.finish(command.operationId, {
          kind: 'branch.deliver',
          branch: command.branch,
          commitSha: sha('d'),
          baseMoved: false,
          note: '',
        });
    }
  }
}
