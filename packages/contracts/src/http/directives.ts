/** Endpoints of directives and orders (seed 002; M2.10). */
import { z } from 'zod';
import { directiveStatuses, orderStatuses, orderTypes } from '@makima/domain/directive';
import { zId } from '../ids.ts';
import { wireLimits } from '../limits.ts';
import { zContractDetail } from '../entity/contract.ts';
import {
  zAcceptInput,
  zDirective,
  zDirectiveDetail,
  zDirectiveInput,
  zDirectivePatch,
  zDirectiveTaskInput,
  zOrder,
  zOrderInput,
} from '../entity/directive.ts';
import { zTask } from '../entity/task.ts';
import { zCursorQuery, zPage } from './page.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const tag = 'directives';
const people = { person: 'write', tool: 'none', daemon: false } as const;
const readers = { person: 'read', tool: 'none', daemon: false } as const;

export const createDirective = defineEndpoint({
  id: 'createDirective',
  method: 'POST',
  path: '/api/v1/directives',
  tag,
  summary: 'Set a standing goal, and send an agent unless told otherwise',
  description:
    '`reconcileMode` decides how long a question of its agents blocks: `auto` 30 s, then the agent goes on by itself; `semi-auto` and `manual` until a person answers.',
  body: zDirectiveInput,
  status: 201,
  response: zDirectiveDetail,
  errors: ['MISSING_REPO_URL'],
  policy: people,
  idempotent: true,
});

export const listDirectives = defineEndpoint({
  id: 'listDirectives',
  method: 'GET',
  path: '/api/v1/directives',
  tag,
  summary: 'Directives, newest first',
  query: zCursorQuery.extend({ status: z.enum(directiveStatuses).optional() }),
  status: 200,
  response: zPage(zDirective),
  errors: [],
  policy: readers,
});

export const getDirective = defineEndpoint({
  id: 'getDirective',
  method: 'GET',
  path: '/api/v1/directives/{id}',
  tag,
  summary: 'One directive with its agents and what its orders became',
  params: byId,
  status: 200,
  response: zDirectiveDetail,
  errors: ['NOT_FOUND'],
  policy: readers,
});

export const patchDirective = defineEndpoint({
  id: 'patchDirective',
  method: 'PATCH',
  path: '/api/v1/directives/{id}',
  tag,
  summary: 'Change goal, mode or place of a directive, or archive it',
  params: byId,
  body: zDirectivePatch,
  status: 200,
  response: zDirectiveDetail,
  errors: ['NOT_FOUND', 'VERSION_CONFLICT', 'CONFLICT'],
  policy: people,
});

export const startDirectiveTask = defineEndpoint({
  id: 'startDirectiveTask',
  method: 'POST',
  path: '/api/v1/directives/{id}/tasks',
  tag,
  summary: 'Send an agent to work for a directive',
  params: byId,
  body: zDirectiveTaskInput,
  status: 201,
  response: zTask,
  errors: ['NOT_FOUND', 'INVALID_TRANSITION', 'LIMIT_EXCEEDED', 'MISSING_REPO_URL'],
  policy: people,
  idempotent: true,
});

export const placeOrder = defineEndpoint({
  id: 'placeOrder',
  method: 'POST',
  path: '/api/v1/mesh/supervisor/orders',
  tag,
  summary:
    'Place an order for future work: a spike or a chore, which a person accepts or dismisses',
  body: zOrderInput,
  status: 201,
  response: zOrder,
  errors: [
    'NOT_SUPERVISOR',
    'NO_CONTEXT',
    'NO_DIRECTIVE',
    'INVALID_ORDER_TYPE',
    'MISSING_REPO_URL',
    'INVALID_TRANSITION',
    'LIMIT_EXCEEDED',
    'FENCED',
  ],
  policy: { person: 'none', tool: 'lead', daemon: false },
  idempotent: true,
});

export const listOrders = defineEndpoint({
  id: 'listOrders',
  method: 'GET',
  path: '/api/v1/orders',
  tag,
  summary: 'Orders, newest first',
  query: zCursorQuery.extend({
    status: z.enum(orderStatuses).optional(),
    directiveId: zId.optional(),
    orderType: z.enum(orderTypes).optional(),
    label: z.string().min(1).max(100).optional(),
  }),
  status: 200,
  response: zPage(zOrder),
  errors: [],
  policy: readers,
});

export const acceptOrder = defineEndpoint({
  id: 'acceptOrder',
  method: 'POST',
  path: '/api/v1/orders/{id}/accept',
  tag,
  summary: 'Make a contract of an order; the second time the same one is answered',
  params: byId,
  body: zAcceptInput,
  status: 200,
  response: z.object({ order: zOrder, contract: zContractDetail }),
  errors: ['NOT_FOUND', 'INVALID_TRANSITION', 'CONFLICT'],
  policy: people,
  idempotent: true,
});

export const dismissOrder = defineEndpoint({
  id: 'dismissOrder',
  method: 'POST',
  path: '/api/v1/orders/{id}/dismiss',
  tag,
  summary: 'Say no to an order, with the reason',
  params: byId,
  body: z.strictObject({ reason: z.string().trim().min(1).max(wireLimits.messageChars) }),
  status: 200,
  response: zOrder,
  errors: ['NOT_FOUND', 'INVALID_TRANSITION'],
  policy: people,
  idempotent: true,
});
