/** How the making of a branch and of a pull request is answered, by whichever door. */
import type { ResponseOf } from '@makima/contracts/http/endpoint';
import type { Endpoints } from '@makima/contracts/http/all';
import { resultOf, type Operation } from './holds/operation.ts';
import type { Held } from './wait.ts';

export function branchOf(held: Held<Operation>): ResponseOf<Endpoints['createBranch']> {
  const { branch, commitSha, created } = resultOf(held, 'branch.create');
  const place = `at ${commitSha.slice(0, 12)}`;
  return {
    operationId: held.value.id,
    success: true,
    branchName: branch,
    message: created ? `${branch} stands ${place}` : `${branch} was there already, ${place}`,
    commitSha,
  };
}

export function pullRequestOf(held: Held<Operation>): ResponseOf<Endpoints['createPullRequest']> {
  const { kind: _, ...pullRequest } = resultOf(held, 'pr.open');
  const { created, prNumber, state } = pullRequest;
  const message = created
    ? `pull request #${prNumber} is open`
    : `the branch has pull request #${prNumber} already, which is ${state}`;
  return { operationId: held.value.id, success: true, message, ...pullRequest };
}
