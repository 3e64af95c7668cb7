/** What a moved agent is told: every beginning, in the order in which a machine decides. */
import { describe, expect, it } from 'vitest';
import { movedNotice, movedStart, movedTo, type MovedFacts } from './moved.ts';

const facts: MovedFacts = {
  hasRepository: true,
  checkpoint: null,
  isPinned: false,
  continues: false,
  startBranch: null,
  inContract: true,
  branchSha: 'a',
  begunSha: 'a',
};
const told = (more: Partial<MovedFacts>): string => movedNotice(movedTo({ ...facts, ...more }));

describe('an agent that goes on elsewhere', () => {
  it('is told that it is where its task began only when it is', () => {
    expect(told({})).toContain('It begins where your task began: whatever else you wrote');
    expect(told({ hasRepository: false, branchSha: 'b' })).toContain('where your task began');
    expect(told({ isPinned: true, branchSha: 'b' })).toContain('where your task began');
    const moved = 'with all that was merged into it since your task began';
    expect(told({ branchSha: 'b' })).toContain(moved);
    expect(told({ branchSha: null, begunSha: null })).toContain(moved);
  });

  it('is told of its checkpoint, and when that did not come along', () => {
    const checkpoint = { number: 3, travels: true };
    const all = { continues: true, startBranch: 'x', branchSha: 'b', isPinned: true, checkpoint };
    expect(told(all)).toContain('It holds what stood in your checkpoint 3');
    const large = { checkpoint: { number: 3, travels: false }, startBranch: 'x' };
    expect(told(large)).toContain('Your checkpoint 3 was too large to come along');
    expect(told({ ...large, isPinned: true })).toContain('where your task began');
  });

  it('is told of the work, the branch or the base that it begins with', () => {
    const others = { startBranch: 'release', inContract: false };
    expect(told({ ...others, continues: true })).toContain('the task that yours continues');
    expect(told(others)).toContain('at the branch release as it stands now');
    expect(told({ inContract: false })).toContain("the repository's base branch as it stands now");
  });

  it('reads it as one line that begins with the sign', () => {
    expect(told({}).startsWith(`${movedStart} `)).toBe(true);
    expect(told({})).not.toContain('\n');
  });
});
