/** Directives and orders as the wire shows them. */
import type { Directive, DirectiveDetail, Order } from '@makima/contracts/entity/directive';
import type { DirectiveNumbers } from '@makima/db/repo/directives';
import type { ContractRow, DirectiveRow, OrderRow, TaskRow } from '@makima/db/rows';
import { presentTask } from './task.ts';

export function presentDirective(row: DirectiveRow, numbers: DirectiveNumbers): Directive {
  return {
    id: row.id,
    title: row.title,
    goal: row.goal,
    status: row.status,
    reconcileMode: row.reconcileMode,
    repositoryUrl: row.repositoryUrl,
    localPath: row.localPath,
    baseBranch: row.baseBranch,
    agent: row.agent,
    model: row.model,
    version: row.version,
    openOrders: numbers.openOrders,
    openTasks: numbers.openTasks,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function presentDirectiveDetail(
  row: DirectiveRow,
  parts: {
    readonly numbers: DirectiveNumbers;
    readonly tasks: readonly TaskRow[];
    readonly contracts: readonly ContractRow[];
  },
): DirectiveDetail {
  return {
    ...presentDirective(row, parts.numbers),
    tasks: parts.tasks.map(presentTask),
    contracts: parts.contracts.map(({ id, slug, name, status, phase }) => ({
      id,
      slug,
      name,
      status,
      phase,
    })),
  };
}

export function presentOrder(row: OrderRow): Order {
  return {
    id: row.id,
    directiveId: row.directiveId,
    createdByTaskId: row.createdByTaskId,
    title: row.title,
    description: row.description,
    priority: row.priority,
    status: row.status,
    orderType: row.orderType,
    labels: row.labels,
    repositoryUrl: row.repositoryUrl ?? row.localPath,
    contractId: row.contractId,
    decidedBy: row.decidedBy,
    decidedAt: row.decidedAt?.toISOString() ?? null,
    dismissedReason: row.dismissedReason,
    createdAt: row.createdAt.toISOString(),
  };
}
