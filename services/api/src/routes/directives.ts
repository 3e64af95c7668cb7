/** Handlers of directives and orders: each calls one verb. */
import { createDirective } from '@makima/engine/directive/create';
import { getDirective, listDirectives } from '@makima/engine/directive/get';
import { patchDirective } from '@makima/engine/directive/patch';
import { startDirectiveTask } from '@makima/engine/directive/start-task';
import { acceptOrder } from '@makima/engine/order/accept';
import { dismissOrder } from '@makima/engine/order/dismiss';
import { listOrders } from '@makima/engine/order/list';
import { placeOrder } from '@makima/engine/order/place';
import { reads, writes, type Handlers } from '../mount.ts';

export const directiveHandlers = {
  createDirective: writes(createDirective),
  listDirectives: reads(listDirectives),
  getDirective: reads(getDirective),
  patchDirective: writes(patchDirective),
  startDirectiveTask: writes(startDirectiveTask),
  placeOrder: writes(placeOrder),
  listOrders: reads(listOrders),
  acceptOrder: writes(acceptOrder),
  dismissOrder: writes(dismissOrder),
} satisfies Partial<Handlers>;
