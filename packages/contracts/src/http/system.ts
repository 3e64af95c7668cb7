/** Endpoints of daemons, keys, events and the process itself. */
import { z } from 'zod';
import { zId, zTime } from '../ids.ts';
import { zDaemon, zKey } from '../entity/daemon.ts';
import { zEvent } from '../entity/event.ts';
import { wireLimits } from '../limits.ts';
import { zPage } from './page.ts';
import { defineEndpoint } from './endpoint.ts';

const byId = z.strictObject({ id: zId });
const owners = { person: 'owner', tool: 'none', daemon: false } as const;
const name = z.string().trim().min(1).max(wireLimits.nameChars);

export const listDaemons = defineEndpoint({
  id: 'listDaemons',
  method: 'GET',
  path: '/api/v1/daemons',
  tag: 'daemons',
  summary: 'Machines that run agents',
  status: 200,
  response: z.object({ items: z.array(zDaemon) }),
  errors: [],
  policy: { person: 'read', tool: 'none', daemon: false },
});

export const createEnrolment = defineEndpoint({
  id: 'createEnrolment',
  method: 'POST',
  path: '/api/v1/daemons/enrolments',
  tag: 'daemons',
  summary: 'A one-time token that lets one machine join',
  body: z.strictObject({
    name: name.optional(),
    expiresInSeconds: z.int().min(60).max(86_400).default(900),
  }),
  status: 201,
  response: z.object({ token: z.string(), expiresAt: zTime }),
  errors: [],
  policy: owners,
});

export const enrolDaemon = defineEndpoint({
  id: 'enrolDaemon',
  method: 'POST',
  path: '/api/v1/daemons/enrol',
  tag: 'daemons',
  summary: 'Join with a one-time token; answers the daemon’s own key, once',
  body: z.strictObject({
    token: z.string().min(1).max(500),
    name,
    host: z.string().min(1).max(255),
  }),
  status: 201,
  response: z.object({ daemonId: zId, key: z.string() }),
  errors: ['UNAUTHENTICATED', 'CONFLICT'],
  policy: { public: true },
});

export const revokeDaemon = defineEndpoint({
  id: 'revokeDaemon',
  method: 'DELETE',
  path: '/api/v1/daemons/{id}',
  tag: 'daemons',
  summary: 'Revoke a daemon’s key; its socket is closed',
  params: byId,
  status: 200,
  response: z.object({ id: zId, revoked: z.literal(true) }),
  errors: ['NOT_FOUND'],
  policy: owners,
});

export const createKey = defineEndpoint({
  id: 'createKey',
  method: 'POST',
  path: '/api/v1/keys',
  tag: 'keys',
  summary: 'A key for a person or script; the secret is shown once',
  body: z.strictObject({
    name,
    scopes: z
      .array(z.enum(['read', 'write', 'owner']))
      .min(1)
      .max(3)
      .default(['read', 'write']),
    expiresInDays: z.int().min(1).max(3_650).optional(),
  }),
  status: 201,
  response: z.object({ key: z.string(), info: zKey }),
  errors: [],
  policy: owners,
});

export const listKeys = defineEndpoint({
  id: 'listKeys',
  method: 'GET',
  path: '/api/v1/keys',
  tag: 'keys',
  summary: 'Keys of people and daemons; never their secrets',
  status: 200,
  response: z.object({ items: z.array(zKey) }),
  errors: [],
  policy: owners,
});

export const revokeKey = defineEndpoint({
  id: 'revokeKey',
  method: 'DELETE',
  path: '/api/v1/keys/{id}',
  tag: 'keys',
  summary: 'Revoke a key; what lives on it is closed within 5 s',
  params: byId,
  status: 200,
  response: zKey,
  errors: ['NOT_FOUND', 'CONFLICT'],
  policy: owners,
});

export const whoAmI = defineEndpoint({
  id: 'whoAmI',
  method: 'GET',
  path: '/api/v1/whoami',
  tag: 'keys',
  summary: 'Who this key is and what it may',
  status: 200,
  response: z.object({
    kind: z.enum(['person', 'agent', 'daemon']),
    name: z.string(),
    ownerId: zId,
    scopes: z.array(z.string()),
    contractId: zId.nullable(),
    taskId: zId.nullable(),
  }),
  errors: [],
  policy: { person: 'read', tool: 'task', daemon: true },
});

export const listEvents = defineEndpoint({
  id: 'listEvents',
  method: 'GET',
  path: '/api/v1/events',
  tag: 'events',
  summary: 'Events after a cursor, of all contracts or one; `wait` holds until there is one',
  description:
    'With `Accept: text/event-stream` the answer is a stream of the same events; `Last-Event-ID` is the cursor. Without a cursor it begins with the oldest, with `after=now` at the present.',
  query: z.strictObject({
    after: z.string().max(200).optional(),
    contractId: zId.optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
    wait: z.coerce.number().int().min(0).max(30).default(0),
  }),
  status: 200,
  response: zPage(zEvent).extend({ cursor: z.string() }),
  errors: [],
  policy: { person: 'read', tool: 'none', daemon: false },
});

export const livez = defineEndpoint({
  id: 'livez',
  method: 'GET',
  path: '/livez',
  tag: 'process',
  summary: 'The process is alive',
  status: 200,
  response: z.object({ ok: z.boolean() }).loose(),
  errors: [],
  policy: { public: true },
});

export const readyz = defineEndpoint({
  id: 'readyz',
  method: 'GET',
  path: '/readyz',
  tag: 'process',
  summary: 'The process can serve: store and queue answer',
  status: 200,
  response: z.object({ ok: z.boolean() }).loose(),
  errors: ['DEPENDENCY_UNAVAILABLE'],
  policy: { public: true },
});
