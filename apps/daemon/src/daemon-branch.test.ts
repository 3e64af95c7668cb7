/**
 * A contract's branch over two machines, on real repositories: what one merged, the other goes on from.
 *
 * Law: the machines share nothing but the source and what the control plane hands over.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { CommandOf, TaskStart } from '@makima/contracts/socket/commands';
import { asAgent, commitFiles } from './git/test-repository.ts';
import { gitTests, openGitMachine, type GitMachine } from './test/git-scene.ts';

const it = gitTests();

describe('two machines of one contract', () => {
  /** What was made goes along to the control plane. */
  const merge = (
    { operate, mergeCommand }: Pick<GitMachine, 'operate' | 'mergeCommand'>,
    start: TaskStart,
    more: Partial<CommandOf<'branch.merge'>> = {},
  ) => operate(mergeCommand(start, { carry: true, ...more }));

  const write = (file: string): string =>
    `- write:\n    file: ${file}\n    content: text\n- commit: ${file}`;

  it('go on from the branch as the other left it, and never from their own copies', async ({
    scene,
  }) => {
    const { place, gateway, daemon, task, runToEnd } = scene;
    const first = task(write('a.txt'));
    await runToEnd(first);
    const { commitSha, moved } = await merge(scene, first);
    expect(moved).toMatchObject({ changed: ['a.txt'] });
    const parts = gateway.of('patch.stored').map(({ data }) => data);
    expect(parts).toHaveLength(1);
    const head = { contractId: randomUUID(), branch: 'makima/fix-it', commitSha: commitSha ?? '' };
    await daemon.end('SIGKILL');
    // At a gateway of its own: what the first one was told is no business of the other.
    const other = await openGitMachine(place);
    // The branch has moved on once while it was fetched: its first pack is gone.
    const [gone, present] = [randomUUID(), randomUUID()];
    const lacking = { ...head, commitSha: 'e'.repeat(40) };
    let looks = 0;
    other.gateway.levers.answer = (ask) => {
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
    try {
      const second = task(`- run: [cat, a.txt]\n${write('b.txt')}`, { contractHead: head });
      expect((await other.runToEnd(second)).outcome).toBe('done');
      expect(await merge(other, second, { contractHead: head })).toMatchObject({
        success: true,
        moved: { from: head.commitSha, onto: head.commitSha, changed: ['b.txt'], complete: true },
      });
      expect(looks).toBe(2);
      const third = task(write('c.txt'), { contractHead: lacking });
      expect(await other.runToEnd(third)).toMatchObject({ outcome: 'start_failed' });
      await expect(merge(other, second, { contractHead: lacking })).rejects.toThrow(
        /stands on another machine/,
      );
      // Too large to be sent, the branch stays where it is: the merge is as good as any.
      const before = other.gateway.of('patch.stored').length;
      const script = 'head -c 17000000 /dev/urandom > big.bin';
      const large = task(`- run: [sh, -c, "${script}"]\n- commit: big`, { contractHead: head });
      await other.runToEnd(large);
      const merged = await merge(other, large, { contractHead: head });
      expect(merged).toMatchObject({ success: true, moved: { changed: ['big.bin'] } });
      expect(other.gateway.of('patch.stored')).toHaveLength(before);
    } finally {
      await other.drop();
    }
  });

  it('tell of what a merge that was given up has left in their copy, and send it along', async ({
    scene,
  }) => {
    const { place, gateway, task, runToEnd } = scene;
    const first = task(write('a.txt'));
    await runToEnd(first);
    const { commitSha } = await merge(scene, first);
    const sent = () => gateway.of('patch.stored').map(({ data }) => data);
    const parts = sent();
    const base = await asAgent(place.repo, 'rev-parse', 'HEAD');
    const at = { contractId: randomUUID(), branch: 'makima/fix-it' };
    const known = { contractHead: { ...at, commitSha: base } };
    const moved = { from: base, changed: ['a.txt'], complete: true };
    expect(await merge(scene, first, known)).toMatchObject({
      commitSha,
      moved: { ...moved, onto: base },
    });
    expect((await merge(scene, first)).moved).toEqual(moved);
    expect(sent()).toEqual([...parts, ...parts, ...parts]);
    const contractHead = { ...at, commitSha: commitSha ?? '' };
    expect(await merge(scene, first, { contractHead })).not.toHaveProperty('moved');
  });

  it('begin it at one commit while that is there, however new their copies of the source are', async ({
    scene: { place, gateway, task, runToEnd },
  }) => {
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
      await runToEnd(start);
      const said = gateway.lines(start).map(({ content }) => content.trim());
      expect(said).toContain(`sees ${sees}`);
    }
  });
});
