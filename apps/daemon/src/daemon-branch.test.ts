/**
 * A contract's branch over two machines, on real repositories: what one merged, the other goes on from.
 *
 * Law: the machines share nothing but the source and what the control plane hands over.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandOf, TaskStart } from '@makima/contracts/socket/commands';
import type { OperationResult } from '@makima/contracts/socket/reports';
import { asAgent, commitFiles, type Place } from './git/test-repository.ts';
import { createTestDaemon, type TestDaemon } from './test/daemon-process.ts';
import { createFakeGateway, type FakeGateway } from './test/gateway.ts';
import { openGitScene, type GitScene } from './test/git-scene.ts';

type Merge = CommandOf<'branch.merge'>;
type Merged = Extract<OperationResult, { kind: 'branch.merge' }>;

describe('two machines of one contract', () => {
  let scene: GitScene;
  let gateway: FakeGateway;
  let daemon: TestDaemon;
  let place: Place;
  beforeEach(async () => {
    scene = await openGitScene();
    ({ gateway, daemon, place } = scene);
  });
  afterEach(() => scene.drop());

  const task: GitScene['task'] = (steps, more) => scene.task(steps, more);
  const merge = async (
    { taskId, attempt }: TaskStart,
    more: Partial<Merge> = {},
  ): Promise<Merged> => {
    const operationId = randomUUID();
    gateway.command({
      kind: 'branch.merge',
      operationId,
      taskId,
      attempt,
      repository: scene.repository,
      targetBranch: 'makima/fix-it',
      squash: false,
      message: 'Merge it',
      carry: true,
      ...more,
    });
    const finished = await gateway.finished(operationId);
    if (!finished.ok) throw new Error(`${finished.error?.code}: ${finished.error?.message}`);
    return finished.result as Merged;
  };

  const write = (file: string): string =>
    `- write:\n    file: ${file}\n    content: text\n- commit: ${file}`;

  it('go on from the branch as the other left it, and never from their own copies', async () => {
    const first = task(write('a.txt'));
    gateway.command(first);
    await gateway.ended(first);
    const { commitSha, moved } = await merge(first);
    const parts = gateway.of('patch.stored').map(({ data }) => data);
    expect(parts).toHaveLength(1);
    const head = { contractId: randomUUID(), branch: 'makima/fix-it', commitSha: commitSha ?? '' };
    await daemon.end('SIGKILL');
    // At a gateway of its own: what the first one was told is no business of the other.
    gateway = await createFakeGateway();
    const other = await createTestDaemon({ gatewayUrl: gateway.url });
    // The branch has moved on once while it was fetched: its first pack is gone.
    const [gone, present] = [randomUUID(), randomUUID()];
    const lacking = { ...head, commitSha: 'e'.repeat(40) };
    let looks = 0;
    gateway.levers.answer = (ask) => {
      if (ask.kind === 'tool-key') return { key: `mk_tool_${'a'.repeat(60)}` };
      if (ask.kind === 'branch' && ask.commitSha === lacking.commitSha)
        return { commitSha: ask.commitSha, operationId: present, parts: 0 };
      if (ask.kind === 'branch') {
        looks += 1;
        const operationId = looks === 1 ? gone : present;
        return { commitSha: head.commitSha, operationId, parts: parts.length };
      }
      if (ask.kind !== 'pack' || ask.operationId !== present) throw new Error('not known');
      return { data: parts[ask.part] ?? '' };
    };
    await other.start();
    try {
      const second = task(`- run: [cat, a.txt]\n${write('b.txt')}`, { contractHead: head });
      gateway.command(second);
      expect((await gateway.ended(second)).outcome).toBe('done');
      expect(await merge(second, { contractHead: head })).toMatchObject({
        success: true,
        moved: { from: head.commitSha, onto: head.commitSha, changed: ['b.txt'], complete: true },
      });
      expect(moved).toMatchObject({ changed: ['a.txt'] });
      expect(looks).toBe(2);
      const third = task(write('c.txt'), { contractHead: lacking });
      gateway.command(third);
      expect(await gateway.ended(third)).toMatchObject({ outcome: 'start_failed' });
      await expect(merge(second, { contractHead: lacking })).rejects.toThrow(
        /stands on another machine/,
      );
      // Too large to be sent, the branch stays where it is: the merge is as good as any.
      const before = gateway.of('patch.stored').length;
      const script = 'head -c 17000000 /dev/urandom > big.bin';
      const large = task(`- run: [sh, -c, "${script}"]\n- commit: big`, { contractHead: head });
      gateway.command(large);
      await gateway.ended(large);
      const merged = await merge(large, { contractHead: head });
      expect(merged).toMatchObject({ success: true, moved: { changed: ['big.bin'] } });
      expect(gateway.of('patch.stored')).toHaveLength(before);
    } finally {
      await other.drop();
      await gateway.stop();
    }
  });

  it('tell of what a merge that was given up has left in their copy, and send it along', async () => {
    const first = task(write('a.txt'));
    gateway.command(first);
    await gateway.ended(first);
    const { commitSha } = await merge(first);
    const sent = () => gateway.of('patch.stored').map(({ data }) => data);
    const parts = sent();
    const base = await asAgent(place.repo, 'rev-parse', 'HEAD');
    const at = { contractId: randomUUID(), branch: 'makima/fix-it' };
    const known = { contractHead: { ...at, commitSha: base } };
    const moved = { from: base, changed: ['a.txt'], complete: true };
    expect(await merge(first, known)).toMatchObject({ commitSha, moved: { ...moved, onto: base } });
    expect((await merge(first)).moved).toEqual(moved);
    expect(sent()).toEqual([...parts, ...parts, ...parts]);
    const contractHead = { ...at, commitSha: commitSha ?? '' };
    expect(await merge(first, { contractHead })).not.toHaveProperty('moved');
  });

  it('begin it at one commit while that is there, however new their copies of the source are', async () => {
    const old = await asAgent(place.repo, 'rev-parse', 'HEAD');
    await commitFiles(place.repo, { 'new.txt': 'new' }, 'Second');
    for (const [branchStartSha, sees] of [
      [old, 'old'],
      ['e'.repeat(40), 'new'],
    ] as const) {
      const start = task(
        '- run: [sh, -c, "test -e new.txt && echo new || echo old"]\n  as: r\n- say: "sees ${r.output}"',
        {
          contractBranch: `makima/begun-${sees}`,
          branchStartSha,
        },
      );
      gateway.command(start);
      await gateway.ended(start);
      const said = gateway.lines(start).map(({ content }) => content.trim());
      expect(said).toContain(`sees ${sees}`);
    }
  });
});
