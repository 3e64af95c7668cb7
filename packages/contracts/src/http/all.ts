/** Every described endpoint, for those who walk them all: mount, policy test, OpenAPI, client, docs. */
import type { Endpoint } from './endpoint.ts';
import * as batch from './batch.ts';
import * as branches from './branches.ts';
import * as contractTypes from './contract-types.ts';
import * as contracts from './contracts.ts';
import * as directives from './directives.ts';
import * as monitoring from './monitoring.ts';
import * as questions from './questions.ts';
import * as supervisor from './supervisor.ts';
import * as system from './system.ts';
import * as tasks from './tasks.ts';
import * as webhooks from './webhooks.ts';

export const endpoints = {
  // Before the contracts: `monitor` is not the id of one.
  ...monitoring,
  ...batch,
  ...branches,
  ...contractTypes,
  ...contracts,
  ...directives,
  ...questions,
  ...supervisor,
  ...system,
  ...tasks,
  ...webhooks,
} as const;
export type Endpoints = typeof endpoints;
export type EndpointId = keyof Endpoints;
export const endpointList: readonly Endpoint[] = Object.values(
  endpoints,
) as unknown as readonly Endpoint[];
