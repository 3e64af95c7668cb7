/**
 * The endpoints in the order of the reference: tag, path, method.
 *
 * Law: the order is made here; the one of the modules depends on who loads them.
 */
import { endpointList as unordered } from '@makima/contracts/http/all';
import type { Endpoint, Method } from '@makima/contracts/http/endpoint';

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export const endpoints: readonly Endpoint[] = unordered.toSorted(
  (a, b) =>
    a.tag.localeCompare(b.tag, 'en') ||
    a.path.localeCompare(b.path, 'en') ||
    methods.indexOf(a.method) - methods.indexOf(b.method),
);
