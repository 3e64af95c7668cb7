/** Set a directive: the standing goal with its place, and its first agent unless told to wait. */
import type { DirectiveDetail, DirectiveInput } from '@makima/contracts/entity/directive';
import { MakimaError } from '@makima/domain/error';
import { insertDirective } from '@makima/db/repo/directives';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { requirePerson } from '../authorize.ts';
import { checkRepositoryPlace } from '../contract/repository-place.ts';
import { directiveDetail } from './get.ts';
import { sendAgent } from './start-task.ts';

/** @throws MISSING_REPO_URL when an agent is to start and no repository is named. */
export function createDirective(
  engine: Engine,
  call: Call,
  input: DirectiveInput,
): Promise<Acted<DirectiveDetail>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'set directives');
    checkRepositoryPlace(input);
    checkStart(input);
    const row = await insertDirective(a.tx, {
      ownerId: a.ownerId,
      title: input.title,
      goal: input.goal,
      reconcileMode: input.reconcileMode,
      repositoryUrl: input.repositoryUrl ?? null,
      localPath: input.localPath ?? null,
      baseBranch: input.baseBranch ?? null,
      agent: input.agent,
      model: input.model,
    });
    a.emit('directive.created', {
      contractId: null,
      data: { directiveId: row.id, title: row.title, reconcileMode: row.reconcileMode },
    });
    if (input.start) await sendAgent(a, row, {});
    return directiveDetail(a.tx, row);
  });
}

/** Asked before there is a directive: what is rolled back cannot be told to take a repository. */
function checkStart({ start, repositoryUrl, localPath }: DirectiveInput): void {
  if (!start || repositoryUrl !== undefined || localPath !== undefined) return;
  throw new MakimaError('MISSING_REPO_URL', 'a directive needs a repository before agents start', {
    fix: 'give repositoryUrl or localPath in this request, or send it with start=false; nothing was made',
  });
}
