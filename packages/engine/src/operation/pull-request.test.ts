/** Pull requests: who may propose what, a person's leave and its limits, and that local stays local. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { permitAsksMax } from '@makima/domain/permit';
import { patchContract } from '../contract/patch.ts';
import { answerQuestion } from '../question/answer.ts';
import { askQuestion } from '../question/ask.ts';
import { listQuestions } from '../question/get.ts';
import { TestDaemon, sha } from '../test-daemon.ts';
import {
  by,
  eventsOf,
  openTestEngine,
  refusal,
  stranger,
  type TestEngine,
} from '../test-engine.ts';
import { brokenInvariants } from '../test-invariants.ts';
import { contractRow, orderedId, stage, type Stage } from '../test-stage.ts';
import { zAskInput } from '@makima/contracts/entity/question';
import type { ContractInput } from '@makima/contracts/entity/contract';
import { requestMerge } from './merge.ts';
import { requestPullRequest, type PullRequestInput } from './pull-request.ts';
import { readOperation } from './read.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 100 });
});
afterAll(() => t.close());

let scene: Stage;
const open = async (contract: Partial<ContractInput> = {}): Promise<void> => {
  const repositories = [{ repositoryUrl: 'https://github.com/ada/shop.git', baseBranch: 'main' }];
  scene = await stage(t, { daemon, contract: { repositories, ...contract } });
};
const own = (): string => `makima/${scene.contract.slug}`;
const ask = (input: Partial<PullRequestInput> = {}, caller = scene.supervisor as never) =>
  requestPullRequest(t.engine, by(caller), { branch: own(), title: 'Fix it', ...input });
const asPerson = (input: Partial<PullRequestInput> = {}) =>
  ask({ contractId: scene.contract.id, ...input }, t.owner as never);
/** The supervisor's own work is merged, and the branch stands there on its machine. */
const merged = async (
  digit: string,
  branch = own(),
  from?: string,
  onto?: string,
): Promise<void> => {
  const input = { id: scene.supervisorTaskId, targetBranch: branch, squash: false };
  const operationId = await orderedId(requestMerge(t.engine, by(scene.supervisor), input));
  await daemon.finish(operationId, {
    kind: 'branch.merge',
    success: true,
    message: 'Merged',
    commitSha: sha(digit),
    conflicts: [],
    ...(from === undefined
      ? {}
      : {
          moved: {
            from,
            ...(onto === undefined ? {} : { onto }),
            changed: ['src/a.ts'],
            complete: true,
          },
        }),
  });
  await daemon.pullOnly('branch.merge');
};
/** The machine refuses to push: its copy of the branch stands there. */
const stands = async (operationId: string, digit: string): Promise<void> => {
  const details = { reason: 'branch_moved', commitSha: sha(digit) };
  const error = { code: 'CONFLICT', message: 'elsewhere', retryable: true, details };
  const refused = { kind: 'operation.finished', operationId, ok: false, result: null } as const;
  await daemon.report({ ...refused, error });
  await readOperation(t.engine, scene.supervisor, { id: operationId });
};
const openQuestions = async (): Promise<(string | null)[]> => {
  const { items } = await listQuestions(t.engine, t.owner, { status: 'open', limit: 100 });
  return items.flatMap((q) => (q.contractId === scene.contract.id ? [q.context] : []));
};
const answer = (id: string | null, response: string) =>
  answerQuestion(t.engine, by(t.owner), { id: id ?? '', response });

describe('with the owner’s setting', () => {
  beforeEach(() => open({ allowPullRequests: true }));

  it('is ordered from the supervisor’s machine, told once, and found again', async () => {
    const operationId = await orderedId(ask({ body: 'All of it.' }));
    expect(await daemon.pullOnly('pr.open')).toMatchObject([
      {
        operationId,
        taskId: scene.supervisorTaskId,
        branch: own(),
        from: 'branch',
        baseBranch: 'main',
        title: 'Fix it',
        body: 'All of it.',
        repository: { url: 'https://github.com/ada/shop.git', path: null },
      },
    ]);
    const opened = {
      kind: 'pr.open',
      prUrl: 'https://github.com/ada/shop/pull/7',
      prNumber: 7,
      state: 'open',
      branch: own(),
      baseBranch: 'main',
      commitSha: sha('c'),
      created: true,
    } as const;
    await daemon.finish(operationId, opened);
    const again = await orderedId(ask({ body: 'All of it.' }));
    expect(again).toBe(operationId);
    await readOperation(t.engine, scene.supervisor, { id: operationId });
    const third = await orderedId(ask({ body: 'All of it.' }));
    expect(third).not.toBe(operationId);
    await daemon.finish(third, { ...opened, created: false });
    const told = (await eventsOf(t, scene.contract.id)).filter(({ type }) => type === 'pr.opened');
    expect(told).toMatchObject([{ data: { prNumber: 7, branch: own(), title: 'Fix it' } }]);
    expect(await brokenInvariants(t)).toEqual({});
  });

  it('is for the contract’s own branches only', async () => {
    const beside = `${own()}.try`;
    // By its short or its whole name it is one.
    const both = await Promise.all(['try', beside].map((branch) => orderedId(ask({ branch }))));
    expect(both[0]).toBe(both[1]);
    expect(await daemon.pullOnly('pr.open')).toMatchObject([{ branch: beside }]);
    for (const branch of ['makima/other', '--force', 'a..b', 'HEAD', 'makima'])
      expect(await refusal(ask({ branch })), branch).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { errors: [{ pointer: '/branch' }] },
      });
  });

  it('is refused of local contracts, whoever asks, and of those that stand still', async () => {
    const { id } = scene.contract;
    await patchContract(t.engine, by(t.owner), { id, localOnly: true });
    for (const again of [ask, asPerson]) expect((await refusal(again())).code).toBe('FORBIDDEN');
    expect(await daemon.pullOnly('pr.open')).toEqual([]);
    await patchContract(t.engine, by(t.owner), { id, localOnly: false });
    await t.database.sql`update contracts set status = 'paused' where id = ${id}`;
    expect((await refusal(asPerson())).code).toBe('INVALID_TRANSITION');
  });
});

describe('without it', () => {
  beforeEach(async () => {
    await open();
    await merged('a');
  });

  it('a person needs no leave', async () => {
    await orderedId(asPerson());
    expect(await daemon.pullOnly('pr.open')).toHaveLength(1);
    const foreign = await stranger(t);
    expect((await refusal(ask({ contractId: scene.contract.id }, foreign as never))).code).toBe(
      'CONTRACT_NOT_FOUND',
    );
  });

  it('an agent waits for a person’s leave, which is for this very branch as it stood', async () => {
    const { result } = await ask();
    const { questionId } = result;
    expect(questionId).not.toBeNull();
    expect(await contractRow(t, scene.contract.id)).toMatchObject({
      status: 'waiting_for_input',
      waitingFor: 'question',
    });
    expect((await ask()).result).toEqual(result);
    expect(await daemon.pullOnly('pr.open')).toEqual([]);
    const asked = (await eventsOf(t, scene.contract.id)).filter((e) => e.type === 'question.asked');
    expect(asked).toMatchObject([
      { data: { questionId, questionType: 'permission', choices: ['Allow', 'Deny'] } },
    ]);
    expect(await openQuestions()).toEqual([expect.stringContaining(`Commit: ${sha('a')}`)]);
    await answer(questionId, 'allow');
    await orderedId(ask());
    expect(await daemon.pullOnly('pr.open')).toMatchObject([{ expectedSha: sha('a') }]);
    await merged('b', `${own()}.try`);
    expect((await ask({ branch: 'try' })).result.questionId).not.toBeNull();
  });

  it('what was merged after the leave needs another one; nobody is shown what has moved', async () => {
    const first = (await ask()).result.questionId;
    await answer(first, 'Allow');
    const allowed = await orderedId(ask());
    await merged('b');
    const second = (await ask()).result.questionId;
    expect(second).not.toBe(first);
    await merged('c');
    const third = (await ask()).result.questionId;
    expect([first, second]).not.toContain(third);
    expect(await openQuestions()).toEqual([expect.stringContaining(`Commit: ${sha('c')}`)]);
    expect((await refusal(answer(second, 'Allow'))).code).toBe('CONFIRMATION_VOID');
    // Back to what a person has allowed already: nobody is asked, and nothing waits any more.
    await merged('a');
    expect(await orderedId(ask())).toBe(allowed);
    expect(await openQuestions()).toEqual([]);
    expect(await contractRow(t, scene.contract.id)).toMatchObject({ status: 'active' });
    expect(await brokenInvariants(t)).toEqual({});
  });

  it('of a branch that its machine has told nothing of, it asks where that stands first', async () => {
    const operationId = await orderedId(ask({ branch: 'unknown' }));
    const [command] = await daemon.pullOnly('pr.open');
    expect(command).toMatchObject({ operationId, expectedSha: '0'.repeat(40) });
    await stands(operationId, 'd');
    const { questionId } = (await ask({ branch: 'unknown' })).result;
    expect(await openQuestions()).toEqual([expect.stringContaining(`Commit: ${sha('d')}`)]);
    await answer(questionId, 'Allow');
    await orderedId(ask({ branch: 'unknown' }));
    expect(await daemon.pullOnly('pr.open')).toMatchObject([{ expectedSha: sha('d') }]);
  });

  it('of the contract’s branch, which stands beyond its last move on its machine, is asked for as it stands', async () => {
    await merged('b', own(), sha('a'));
    // Another branch is had also where this one cannot be brought to.
    await orderedId(ask({ branch: 'try' }));
    expect((await daemon.pullOnly('pr.open'))[0]).not.toHaveProperty('contractHead');
    await answer((await ask()).result.questionId, 'Allow');
    const operationId = await orderedId(ask());
    expect(await daemon.pullOnly('pr.open')).toMatchObject([
      { expectedSha: sha('b'), contractHead: { commitSha: sha('b') } },
    ]);
    // As after a merge that was given up before it was told of.
    await stands(operationId, 'e');
    const { questionId } = (await ask()).result;
    expect(await openQuestions()).toEqual([expect.stringContaining(`Commit: ${sha('e')}`)]);
    await answer(questionId, 'Allow');
    await orderedId(ask());
    expect(await daemon.pullOnly('pr.open')).toMatchObject([{ expectedSha: sha('e') }]);
    // The next move says it all.
    await merged('f', own(), sha('e'), sha('b'));
    await ask();
    expect(await openQuestions()).toEqual([expect.stringContaining(`Commit: ${sha('f')}`)]);
  });

  it('no means no, and is asked for again a few times only', async () => {
    const seen = new Set<string | null>();
    for (let i = 0; i < permitAsksMax; i += 1) {
      const { questionId } = (await ask()).result;
      seen.add(questionId);
      await answer(questionId, 'Deny: not yet');
    }
    expect(seen.size).toBe(permitAsksMax);
    expect(await refusal(ask())).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('not yet'),
    });
    expect(await daemon.pullOnly('pr.open')).toEqual([]);
    await patchContract(t.engine, by(t.owner), { id: scene.contract.id, allowPullRequests: true });
    await orderedId(ask());
  });

  it('asks a person for a bounded number of acts at once', async () => {
    const max = t.engine.limits.openQuestionsPerContractMax;
    await merged('b', `${own()}.one-more`);
    for (let i = 0; i < max; i += 1) {
      await merged('b', `${own()}.try-${i}`);
      await ask({ branch: `try-${i}` });
    }
    expect(await refusal(ask({ branch: 'one-more' }))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const { questionId } = (await ask({ branch: 'try-0' })).result;
    await answer(questionId, 'Allow');
    expect((await ask({ branch: 'one-more' })).result.questionId).not.toBeNull();
  });

  it('is not granted by an agent’s own question, nor by anybody but a person', async () => {
    const input = zAskInput.parse({ question: 'May I open a pull request?', choices: ['Allow'] });
    const general = await askQuestion(t.engine, by(scene.supervisor), input);
    await answer(general.result.questionId, 'Allow');
    const { questionId } = (await ask()).result;
    expect(questionId).not.toBeNull();
    await expect(
      t.database
        .sql`update questions set status = 'answered', response = 'Allow', answered_by = 'nobody' where id = ${questionId}`,
    ).rejects.toThrow(/questions_permit/);
  });
});
