/**
 * Directives and their orders. A directive is a standing goal in a repository; its agents look and place
 * orders, small pieces of future work; a person accepts one, which makes a contract of it, or dismisses it.
 *
 * Law: an agent places orders and no more. An order becomes work by a person's word alone, and once.
 */
import { no, yes, type Refusal, type Verdict } from './verdict.ts';

export const directiveStatuses = ['active', 'archived'] as const;

export type DirectiveStatus = (typeof directiveStatuses)[number];

export const orderStatuses = ['open', 'accepted', 'dismissed'] as const;

export type OrderStatus = (typeof orderStatuses)[number];

export const orderTransitions: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  open: ['accepted', 'dismissed'],
  accepted: [],
  dismissed: [],
};

/** `spike`: find something out and write it down. `chore`: a change that needs no decision. */
export const orderTypes = ['spike', 'chore'] as const;

export type OrderType = (typeof orderTypes)[number];

export const orderPriorities = ['low', 'medium', 'high', 'urgent'] as const;

export type OrderPriority = (typeof orderPriorities)[number];

/** The priority of the contract that an order becomes. */
export const contractPriorityOf: Readonly<Record<OrderPriority, number>> = {
  low: -10,
  medium: 0,
  high: 10,
  urgent: 20,
};

export function checkOrderType(
  type: string,
): { readonly ok: true; readonly type: OrderType } | Refusal {
  const known = orderTypes.find((name) => name === type);
  return known === undefined ? no('An order is a spike or a chore.') : { ok: true, type: known };
}

/** May work begin for it: a task, an order, a contract? */
export function checkDirectiveOpen(directive: { readonly status: DirectiveStatus }): Verdict {
  return directive.status === 'active' ? yes : no('The directive is archived.');
}

/** May it be archived? Its agents end first. */
export function checkArchive(directive: { readonly unfinishedTasks: number }): Verdict {
  return directive.unfinishedTasks === 0
    ? yes
    : no(`${directive.unfinishedTasks} of its tasks are not over.`);
}

export interface OrderText {
  readonly title: string;
  readonly description: string | null;
  readonly orderType: OrderType;
  readonly labels: readonly string[];
}

/** The goal of the contract that an order becomes. */
export function orderGoal(order: OrderText, directive: { readonly title: string }): string {
  const labels = order.labels.length === 0 ? '' : ` Labels: ${order.labels.join(', ')}.`;
  return [
    order.title,
    ...(order.description === null ? [] : ['', order.description]),
    '',
    order.orderType === 'spike'
      ? 'This is a spike: find out and write down what you found. The result is knowledge, not a change of the product.'
      : 'This is a chore: make this change and no other.',
    `It was ordered for the directive "${directive.title}".${labels}`,
  ].join('\n');
}
