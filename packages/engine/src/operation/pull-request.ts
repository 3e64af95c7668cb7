/**
 * Propose a branch of a contract to the people of its repository: pushed by the machine that has it, and a pull
 * request opened, or found where it has one.
 *
 * Law: nothing of a contract that is `local_only` is pushed, whoever asks. An agent proposes with the owner's
 * setting or a person's permission for this very branch.
 */
import { belongsTo, branchBeside, isNewBranch } from '@makima/domain/branch';
import { MakimaError } from '@makima/domain/error';
import type { ContractRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, requireLead } from '../authorize.ts';
import { contractOf, supervisorOf, wrong } from './branch.ts';
import { order } from './order.ts';
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
    const id = contractOf(a.caller, input.contractId);
    const contract = await lockedContract(a.tx, a.caller, id, 'update');
    await requireLead(a, contract.id, 'open pull requests');
    assertWorking(contract, 'proposed');
    assertMayPush(contract);
    const branch = branchOf(contract, input.branch);
    const supervisor = await supervisorOf(a, contract);
    const proposal = { ...input, branch, body: input.body ?? '' };
    if (a.caller.kind === 'agent' && !contract.allowPullRequests) {
      const questionId = await askFirst(a, contract, supervisor, proposal);
      if (questionId !== null) return { operationId: null, questionId };
    }
    const { id: operationId } = await orderPullRequest(a, supervisor, {
      ...proposal,
      from: 'branch',
    });
    return { operationId, questionId: null };
  });
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

function askFirst(
  a: Act,
  contract: ContractRow,
  supervisor: TaskRow,
  { branch, title, body }: Proposal,
): Promise<string | null> {
  const { baseBranch } = supervisor;
  const into = baseBranch === null ? 'the default branch' : baseBranch;
  const where = supervisor.repositoryUrl ?? supervisor.localPath ?? 'the repository';
  return permitted(a, contract, supervisor, {
    permit: { act: 'open_pull_request', branch, baseBranch },
    question: `May the supervisor push ${branch} and open a pull request into ${into}?`,
    context: [`Repository: ${where}`, `Title: ${title}`, body]
      .filter((line) => line !== '')
      .join('\n'),
  });
}

/** The machine looks up the branch first: asked twice, there is one pull request. */
export async function orderPullRequest(
  a: Act,
  task: TaskRow,
  proposal: Proposal & {
    readonly from: 'branch' | 'task';
    readonly requestedBy?: string;
  },
): Promise<{ readonly id: string }> {
  const { branch, title, body, from } = proposal;
  const { baseBranch } = task;
  return order(a, {
    task,
    kind: 'pr.open',
    asked: { branch, baseBranch, title, body },
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
      baseBranch,
      title,
      body,
    }),
  });
}
