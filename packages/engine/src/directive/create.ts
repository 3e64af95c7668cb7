/** Set a directive: the standing goal with its place, and its first agent unless told to wait. */
import type { DirectiveDetail, DirectiveInput } from '@makima/contracts/entity/directive';
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
