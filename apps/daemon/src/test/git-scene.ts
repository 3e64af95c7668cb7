/**
 * Daemons at gateways of their own, and a repository for their tasks to work on, for tests.
 *
 * Law: `drop` leaves no process and no file.
 */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Command, CommandOf, TaskStart } from '@makima/contracts/socket/commands';
import type { Running } from '@makima/contracts/socket/frames';
import type { OperationResult, ReportOf } from '@makima/contracts/socket/reports';
import { asAgent, makePlace, type Place } from '../git/test-repository.ts';
import { createTestDaemon, startCommand, type TestDaemon } from './daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './gateway.ts';

type Operation = Extract<Command, { operationId: string }>;
type OperationKind = Operation['kind'];
type OptionalId<T> = T extends unknown ? Omit<T, 'operationId'> & { operationId?: string } : never;
type Wanted<K extends OperationKind> = OptionalId<Extract<Operation, { kind: K }>> & { kind: K };
type Result<K extends OperationKind> = Extract<OperationResult, { kind: K }>;
type Merge = CommandOf<'branch.merge'>;

export interface GitMachine {
  readonly gateway: FakeGateway;
  /** It runs. */
  readonly daemon: TestDaemon;
  readonly repository: { readonly url: null; readonly path: string; readonly baseBranch: null };
  /** Of a contract whose branch is `makima/fix-it`. */
  task(steps: string, more?: Partial<TaskStart>): TaskStart;
  /** Tells it to the daemon; how it ended. */
  runToEnd(start: TaskStart): Promise<ReportOf<'task.ended'>>;
  said(of: Running): string[];
  saying(of: Running, words: string): Promise<boolean>;
  /** Its result; throws `CODE: message` when it failed. */
  operate<K extends OperationKind>(command: Wanted<K>): Promise<Result<K>>;
  /** To merge what the task made into the branch of its contract. */
  mergeCommand(of: Running, more?: Partial<Merge>): Merge;
  /** Git in the only store of the daemon. */
  storeGit(...args: string[]): Promise<string>;
  drop(): Promise<void>;
}

export interface GitScene extends Omit<GitMachine, 'drop'> {
  readonly place: Place;
}

export async function openGitMachine(place: Place): Promise<GitMachine> {
  const gateway = await createFakeGateway();
  const daemon = await createTestDaemon({ gatewayUrl: gateway.url });
  await daemon.start();
  const repository = { url: null, path: place.repo, baseBranch: null };
  const said = (of: Running): string[] => gateway.lines(of).map((line) => line.content);
  return {
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
    async runToEnd(start) {
      gateway.command(start);
      return gateway.ended(start);
    },
    said,
    saying: (of, words) => gateway.until(words, () => said(of).includes(words)),
    async operate<K extends OperationKind>(command: Wanted<K>) {
      const withId = { operationId: randomUUID(), ...command };
      gateway.command(withId as unknown as Command);
      const finished = await gateway.finished(withId.operationId);
      if (!finished.ok) throw new Error(`${finished.error?.code}: ${finished.error?.message}`);
      if (finished.result?.kind !== command.kind) throw new Error(`it is no ${command.kind}`);
      return finished.result as Result<K>;
    },
    mergeCommand: ({ taskId, attempt }, more = {}) => ({
      kind: 'branch.merge',
      operationId: randomUUID(),
      taskId,
      attempt,
      repository,
      targetBranch: 'makima/fix-it',
      squash: false,
      message: 'Merge it',
      ...more,
    }),
    async storeGit(...args) {
      const stores = join(daemon.home, 'git', 'stores');
      const [name = ''] = (await readdir(stores)).filter((entry) => entry.endsWith('.git'));
      return asAgent(join(stores, name), '--git-dir=.', ...args);
    },
    async drop() {
      await daemon.drop();
      await gateway.stop();
    },
  };
}

async function openGitScene(
  // oxlint-disable-next-line no-empty-pattern -- the runner reads from it what else a fixture needs
  {}: object,
  { onCleanup }: { readonly onCleanup: (cleanup: () => Promise<void>) => void },
): Promise<GitScene> {
  const place = await makePlace();
  const machine = await openGitMachine(place);
  onCleanup(async () => {
    await machine.drop();
    await place.drop();
  });
  return { ...machine, place };
}

/** `it` for a file whose tests have each a scene of their own. */
export function gitTests() {
  const it = test.extend('scene', openGitScene);
  // Opened here, it does not take of the test's own time.
  it.beforeEach(({ scene }) => void scene);
  return it;
}

/** `it` for a file whose tests go on in one scene, each from where the one before has left it. */
export function gitTestsInOneScene() {
  const it = test.extend('scene', { scope: 'file' }, openGitScene);
  it.beforeAll(({ scene }) => void scene);
  return it;
}
