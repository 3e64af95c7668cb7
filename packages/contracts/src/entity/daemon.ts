/** Daemons, their enrolment and people's keys on the wire. */
import { z } from 'zod';
import { zId, zTime } from '../ids.ts';
import { zAgentInfo } from '../socket/frames.ts';

export const zDaemon = z.object({
  id: zId,
  name: z.string(),
  host: z.string().nullable(),
  version: z.string().nullable(),
  status: z.enum(['connected', 'disconnected', 'revoked']),
  sessionEpoch: z.int(),
  currentTaskCount: z.int(),
  maxConcurrentTasks: z.int(),
  agents: z.array(zAgentInfo),
  /** Agents whose account is at its usage limit: none of them is started before. */
  limits: z.array(z.object({ agent: z.string(), until: zTime, window: z.string().nullable() })),
  connectedAt: zTime.nullable(),
  lastSeenAt: zTime.nullable(),
});
export type Daemon = z.infer<typeof zDaemon>;

export const zKey = z.object({
  id: zId,
  kind: z.enum(['user', 'daemon', 'tool']),
  name: z.string(),
  scopes: z.array(z.enum(['read', 'write', 'owner'])),
  createdAt: zTime,
  expiresAt: zTime.nullable(),
  lastUsedAt: zTime.nullable(),
  revokedAt: zTime.nullable(),
});
