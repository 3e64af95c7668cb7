/** Change a directive, or archive it. Agents under way go on with what they were told. */
import type { DirectiveDetail, DirectivePatch } from '@makima/contracts/entity/directive';
import { checkArchive } from '@makima/domain/directive';
import { MakimaError } from '@makima/domain/error';
import { changeDirective, directiveNumbers, lockDirective } from '@makima/db/repo/directives';
import type { DirectiveRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requirePerson } from '../authorize.ts';
import { checkRepositoryPlace } from '../contract/repository-place.ts';
import { directiveDetail } from './get.ts';

type Changes = Parameters<typeof changeDirective>[1]['set'];

/** @throws VERSION_CONFLICT with expected and actual; CONFLICT when archived while agents work. */
export function patchDirective(
  engine: Engine,
  call: Call,
  input: DirectivePatch & { readonly id: string },
): Promise<Acted<DirectiveDetail>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'change directives');
    checkRepositoryPlace(input);
    const row = await lockDirective(a.tx, {
      ownerId: a.ownerId,
      id: input.id,
      strength: 'update',
    });
    if (row === undefined) throw notFound('directive', input.id);
    if (input.expectedVersion !== undefined && input.expectedVersion !== row.version) {
      throw new MakimaError('VERSION_CONFLICT', 'the directive changed since you read it', {
        details: { expected: input.expectedVersion, actual: row.version },
        fix: 'read the directive again and decide anew',
      });
    }
    const set = changesOf(row, input);
    if (Object.keys(set).length === 0) return directiveDetail(a.tx, row);
    if (set.status === 'archived') await refuseWhileWorking(a, row);
    const changed = await changeDirective(a.tx, {
      ownerId: a.ownerId,
      id: row.id,
      version: row.version,
      set,
    });
    if (changed === undefined)
      throw new MakimaError('CONFLICT', 'the directive changed meanwhile', { retryable: true });
    a.emit('directive.updated', {
      contractId: null,
      data: {
        directiveId: changed.id,
        title: changed.title,
        changed: Object.keys(set),
        version: changed.version,
      },
    });
    return directiveDetail(a.tx, changed);
  });
}

/** What is really different. A place that is named takes the place of the other kind. */
function changesOf(row: DirectiveRow, input: DirectivePatch & { readonly id: string }): Changes {
  const { id: _, expectedVersion: __, ...wanted } = input;
  const other =
    wanted.repositoryUrl === undefined
      ? wanted.localPath === undefined
        ? {}
        : { repositoryUrl: null }
      : { localPath: null };
  const entries = Object.entries({ ...wanted, ...other }).filter(
    ([name, value]) => value !== undefined && value !== row[name as keyof DirectiveRow],
  );
  return Object.fromEntries(entries) as Changes;
}

async function refuseWhileWorking(a: Act, row: DirectiveRow): Promise<void> {
  const numbers = await directiveNumbers(a.tx, { ownerId: a.ownerId, ids: [row.id] });
  const unfinishedTasks = numbers.get(row.id)?.openTasks ?? 0;
  const verdict = checkArchive({ unfinishedTasks });
  if (verdict.ok) return;
  throw new MakimaError('CONFLICT', verdict.reason, {
    details: { openTasks: unfinishedTasks },
    fix: 'wait for its agents, or cancel them: makima tasks cancel <task>',
  });
}
