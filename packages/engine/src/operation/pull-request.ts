/**
 * Propose a branch of a contract to the people of its repository: pushed by the machine that has it, and a pull
 * request opened, or found where it has one.
 *
 * Law: nothing of a contract that is `local_only` is pushed, whoever asks. An agent proposes with the owner's
 * setting or a person's permission for this very branch as it stood when they were asked: the machine refuses to
 * push it when it stands elsewhere.
 */
import { belongsTo, branchBeside, contractBranch, isNewBranch } from '@makima/domain/branch';
import { MakimaError } from '@makima/domain/error';
import { lastMoveAt } from '@makima/db/repo/branch-moves';
import { branchHead } from '@makima/db/repo/operations';
import { openQuestionsOf } from '@makima/db/repo/questions';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, requireLead } from '../authorize.ts';
import { contractOf, supervisorOf, wrong } from './branch.ts';
import { syncWaiting } from '../contract/move.ts';
import { withdraw } from '../contract/withdraw-questions.ts';
import { machineOf, order } from './order.ts';
import { permitted, type Ordered } from './permit.ts';
import { assertWorking } from './working-contract.ts';

export interface PullRequestInput {
  /** Short (`try-two`) or whole. */
  readonly branch: string;
  readonly title: string;
  readonly body?: string | undefined;
  readonly contractId?: string | undefined;
}

export function requestPullRequest(
  engine: Engine,
  call: Call,
  input: PullRequestInput,
): Promise<Acted<Ordered>> {
  return act(engine, call, async (a) => {
    const contractId = contractOf(a.caller, input.contractId);
    const contract = await lockedContract(a.tx, a.caller, contractId, 'update');
    await requireLead(a, contract.id, 'open pull requests');
    assertWorking(contract, 'proposed');
    assertMayPush(contract);
    const branch = branchOf(contract, input.branch);
    const supervisor = await supervisorOf(a, contract);
    const proposal = { ...input, branch, body: input.body ?? '', from: 'branch' as const };
    if (a.caller.kind !== 'agent' || contract.allowPullRequests) {
      const { id } = await orderPullRequest(a, supervisor, proposal);
      return { operationId: id, questionId: null };
    }
    const commitSha = await headOf(a, contract, supervisor, branch);
    const questionId =
      commitSha === undefined
        ? null
        : await askFirst(a, contract, supervisor, { ...proposal, commitSha });
    if (questionId !== null) return { operationId: null, questionId };
    const { id } = await orderPullRequest(a, supervisor, {
      ...proposal,
      expectedSha: commitSha ?? nowhere,
    });
    return { operationId: id, questionId: null };
  });
}

/** No branch stands there: the machine pushes nothing, and answers where it does stand. */
const nowhere = '0'.repeat(40);

async function headOf(
  a: Act,
  contract: ContractRow,
  supervisor: TaskRow,
  branch: string,
): Promise<string | undefined> {
  const about = { ownerId: a.ownerId, contractId: contract.id };
  const daemonId = await machineOf(a, supervisor);
  // The contract's own stands where its moves say, whichever machine told of them, unless the machine has found it
  // elsewhere since.
  const move =
    branch === contractBranch(contract.slug)
      ? await lastMoveAt(a.tx, { ...about, place: supervisor })
      : undefined;
  const after = move?.at ?? null;
  return (await branchHead(a.tx, { ...about, daemonId, branch, after })) ?? move?.toSha;
}

/** `local_only` is the owner's word on everything that leaves the machine. */
export function assertMayPush(contract: Pick<ContractRow, 'localOnly' | 'slug'>): void {
  if (!contract.localOnly) return;
  throw new MakimaError('FORBIDDEN', 'this contract is local only: nothing of it is pushed', {
    fix: 'a person may change that: PATCH /api/v1/contracts/{id} with {"localOnly": false}',
  });
}

/** One of the contract's own, by its short or its whole name. */
function branchOf(contract: ContractRow, asked: string): string {
  if (isNewBranch(asked) && belongsTo(contract.slug, asked)) return asked;
  const beside = branchBeside(contract.slug, asked);
  if (!beside.ok) throw wrong('/branch', beside.reason);
  return beside.name;
}

interface Proposal {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
}

async function askFirst(
  a: Act,
  contract: ContractRow,
  supervisor: TaskRow,
  { branch, title, body, commitSha }: Proposal & { readonly commitSha: string },
): Promise<string | null> {
  const held = await withdrawOutdated(a, contract, { branch, commitSha });
  const { baseBranch } = supervisor;
  const into = baseBranch === null ? 'the default branch' : baseBranch;
  const where = supervisor.repositoryUrl ?? supervisor.localPath ?? 'the repository';
  return permitted(a, held, supervisor, {
    permit: { act: 'open_pull_request', branch, baseBranch, commitSha },
    question: `May the supervisor push ${branch} and open a pull request into ${into}?`,
    context: [`Repository: ${where}`, `Commit: ${commitSha}`, `Title: ${title}`, body]
      .filter((line) => line !== '')
      .join('\n'),
  });
}

/** Questions that would show a person the branch as it was are closed. Answers the contract as it is then. */
async function withdrawOutdated(
  a: Act,
  contract: ContractRow,
  now: { readonly branch: string; readonly commitSha: string },
): Promise<ContractRow> {
  const open = await openQuestionsOf(a.tx, { ownerId: a.ownerId, contractId: contract.id });
  const outdated = open.filter(
    ({ permit }) =>
      permit?.act === 'open_pull_request' &&
      permit.branch === now.branch &&
      permit.commitSha !== now.commitSha,
  );
  if (outdated.length === 0) return contract;
  for (const question of outdated) await withdraw(a, question, 'the branch has moved since');
  return syncWaiting(a, contract);
}

/** The machine looks up the branch first: asked twice, there is one pull request. */
export async function orderPullRequest(
  a: Act,
  task: TaskRow,
  proposal: Proposal & {
    readonly from: 'branch' | 'task';
    /** Where a person allowed it; absent where nobody has to. */
    readonly expectedSha?: string;
    readonly requestedBy?: string;
  },
): Promise<{ readonly id: string }> {
  const { branch, title, body, from, expectedSha } = proposal;
  const expected = expectedSha === undefined ? {} : { expectedSha };
  const { baseBranch } = task;
  return order(a, {
    task,
    kind: 'pr.open',
    asked: { branch, baseBranch, title, body, ...expected },
    join: 'unseen',
    requestedBy: proposal.requestedBy,
    command: (operationId) => ({
      kind: 'pr.open',
      operationId,
      taskId: task.id,
      attempt: task.currentAttempt,
      repository: { url: task.repositoryUrl, path: task.localPath, baseBranch },
      branch,
      from,
      ...expected,
      baseBranch,
      title,
      body,
    }),
  });
}
