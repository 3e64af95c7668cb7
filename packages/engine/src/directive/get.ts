/** Directives as a person sees them. */
import type { Directive, DirectiveDetail } from '@makima/contracts/entity/directive';
import type { DirectiveStatus } from '@makima/domain/directive';
import {
  contractsOfDirective,
  directiveNumbers,
  findDirective,
  listDirectiveRows,
  tasksOfDirective,
} from '@makima/db/repo/directives';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { DirectiveRow } from '@makima/db/rows';
import { notFound, requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import { idCursor } from '../page-cursor.ts';
import { presentDirective, presentDirectiveDetail } from '../present/directive.ts';
import type { Principal } from '../principal.ts';

const shownMost = 50;

export async function getDirective(
  engine: Engine,
  caller: Principal,
  input: { id: string },
): Promise<DirectiveDetail> {
  requireReader(caller, 'see directives');
  const { sql } = engine.database;
  return reading(
    engine.database,
    (async () => {
      const row = await findDirective(sql, { ownerId: caller.ownerId, id: input.id });
      if (row === undefined) throw notFound('directive', input.id);
      return directiveDetail(sql, row);
    })(),
  );
}

export async function directiveDetail(db: Queryable, row: DirectiveRow): Promise<DirectiveDetail> {
  const about = { ownerId: row.ownerId, directiveId: row.id, limit: shownMost };
  const [numbers, tasks, contracts] = await Promise.all([
    directiveNumbers(db, { ownerId: row.ownerId, ids: [row.id] }),
    tasksOfDirective(db, about),
    contractsOfDirective(db, about),
  ]);
  return presentDirectiveDetail(row, { numbers: numbersOf(numbers, row), tasks, contracts });
}

/** Newest first. @throws VALIDATION_FAILED for a cursor that is none. */
export async function listDirectives(
  engine: Engine,
  caller: Principal,
  input: { status?: DirectiveStatus | undefined; after?: string | undefined; limit: number },
): Promise<{ items: Directive[]; nextCursor: string | null }> {
  requireReader(caller, 'list directives');
  const beforeId = idCursor(input.after);
  const { sql } = engine.database;
  const { ownerId } = caller;
  return reading(
    engine.database,
    (async () => {
      const { status, limit } = input;
      const rows = await listDirectiveRows(sql, { ownerId, status, beforeId, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const numbers = await directiveNumbers(sql, { ownerId, ids: page.map((row) => row.id) });
      return {
        items: page.map((row) => presentDirective(row, numbersOf(numbers, row))),
        nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
      };
    })(),
  );
}

function numbersOf(
  numbers: Awaited<ReturnType<typeof directiveNumbers>>,
  row: DirectiveRow,
): { openOrders: number; openTasks: number } {
  const found = numbers.get(row.id);
  if (found === undefined) throw new Error(`directive ${row.id} has no numbers`);
  return found;
}
