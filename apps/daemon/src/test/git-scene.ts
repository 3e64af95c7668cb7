/**
 * A daemon at a gateway, and a repository for its tasks to work on, for tests.
 *
 * Law: `drop` leaves no process and no file.
 */
import type { TaskStart } from '@makima/contracts/socket/commands';
import { makePlace, type Place } from '../git/test-repository.ts';
import { createTestDaemon, startCommand, type TestDaemon } from './daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './gateway.ts';

export interface GitScene {
  readonly place: Place;
  readonly gateway: FakeGateway;
  /** It runs. */
  readonly daemon: TestDaemon;
  readonly repository: { readonly url: null; readonly path: string; readonly baseBranch: null };
  /** Of a contract whose branch is `makima/fix-it`. */
  task(steps: string, more?: Partial<TaskStart>): TaskStart;
  drop(): Promise<void>;
}

export async function openGitScene(): Promise<GitScene> {
  const place = await makePlace();
  const gateway = await createFakeGateway();
  const daemon = await createTestDaemon({ gatewayUrl: gateway.url });
  await daemon.start();
  const repository = { url: null, path: place.repo, baseBranch: null };
  return {
    place,
    gateway,
    daemon,
    repository,
    task: (steps, more = {}) =>
      startCommand(steps, {
        repository,
        contractSlug: 'fix-it',
        contractBranch: 'makima/fix-it',
        ...more,
      }),
    async drop() {
      await daemon.drop();
      await gateway.stop();
      await place.drop();
    },
  };
}
