/** Endpoints of contract types: those that come with makima, and those of an owner. */
import { z } from 'zod';
import { zContractType, zContractTypeInput } from '../entity/contract-type.ts';
import { defineEndpoint } from './endpoint.ts';

const tag = 'contract types';

export const listContractTypes = defineEndpoint({
  id: 'listContractTypes',
  method: 'GET',
  path: '/api/v1/contract-types',
  tag,
  summary: 'The newest version of every contract type',
  status: 200,
  response: z.object({ items: z.array(zContractType) }),
  errors: [],
  policy: { person: 'read', tool: 'none', daemon: false },
});

export const getContractType = defineEndpoint({
  id: 'getContractType',
  method: 'GET',
  path: '/api/v1/contract-types/{name}',
  tag,
  summary: 'One contract type: its newest version, or the one that is asked for',
  params: z.strictObject({ name: z.string().min(1).max(100) }),
  query: z.strictObject({ version: z.coerce.number().int().min(1).max(1_000_000).optional() }),
  status: 200,
  response: zContractType,
  errors: ['NOT_FOUND'],
  policy: { person: 'read', tool: 'none', daemon: false },
});

export const putContractType = defineEndpoint({
  id: 'putContractType',
  method: 'POST',
  path: '/api/v1/contract-types',
  tag,
  summary: 'Define a contract type, or its next version',
  description:
    'Contracts that run keep the version that they began with. The same phases again are the same version. Names of types that come with makima are taken.',
  body: zContractTypeInput,
  status: 201,
  response: zContractType,
  errors: ['CONFLICT', 'LIMIT_EXCEEDED'],
  policy: { person: 'write', tool: 'none', daemon: false },
  idempotent: true,
});
