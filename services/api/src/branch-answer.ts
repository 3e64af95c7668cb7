/** How the making of a branch is answered, by whichever door. */
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
