/** The tool that proposes a branch to the people of the repository. */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { requestPullRequest } from '@makima/engine/operation/pull-request';
import { pullRequestOf } from '../branch-answer.ts';
import { holdForOperation } from '../holds/operation.ts';
import { orderWithLeave, personAsked, zLeaveHandle } from './leave.ts';
import { contractIdOf, defineTool, goOn, pending, stillAtWork, zHandle } from './tool.ts';

export const pullRequest = defineTool({
  name: 'makima_pr',
  title: 'Open a pull request',
  description:
    'Push a branch of your contract (its own, or one of makima_branch) and open a pull request for it. One per branch: called again, newer commits are pushed to the same one. Merge what belongs in first. A person may have to allow it: they are asked for you. Never push by yourself.',
  input: z.strictObject({
    branch: z.string().min(1).max(200),
    title: z.string().trim().min(1).max(256),
    body: z.string().max(60_000).optional(),
    contractId: zId.optional(),
    operationId: zHandle,
    questionId: zLeaveHandle,
  }),
  output: z.object({
    ...pending,
    success: z.boolean(),
    message: z.string(),
    prUrl: z.string().nullable(),
    prNumber: z.int().nullable(),
    state: z.string().nullable(),
    branch: z.string(),
    baseBranch: z.string().nullable(),
    commitSha: z.string().nullable(),
    created: z.boolean(),
    operationId: z.string().nullable(),
  }),
  agents: 'supervisor',
  people: 'too',
  effect: 'writes',
  run: async (args) => {
    const { engine, caller, input, hold } = args;
    const { operationId: _, questionId: __, ...rest } = input;
    const asked = { ...rest, contractId: contractIdOf(caller, input.contractId) };
    const outcome = await orderWithLeave(
      args,
      (call) => requestPullRequest(engine, call, asked),
      input,
    );
    const none = {
      success: false,
      prUrl: null,
      prNumber: null,
      state: null,
      branch: input.branch,
      baseBranch: null,
      commitSha: null,
      created: false,
      operationId: null,
    };
    if (outcome.kind === 'denied')
      return { stillPending: false, ...none, message: `A person denied it: ${outcome.response}` };
    if (outcome.kind === 'asked') {
      const next = goOn('makima_pr', { ...input, questionId: outcome.questionId }, personAsked);
      return { ...next, ...none, message: 'not allowed yet' };
    }
    const { operationId } = outcome;
    const held = await holdForOperation(hold(), operationId);
    if (held.value.state === 'pending') {
      const next = goOn('makima_pr', { ...input, operationId }, stillAtWork);
      return { ...next, ...none, operationId, message: 'not open yet' };
    }
    return { stillPending: false, ...pullRequestOf(held) };
  },
});
