/** The endpoint of operations on many contracts at once (seed 004). */
import { z } from 'zod';
import { batchMax, batchOperations } from '@makima/domain/batch';
import { zContractStatus } from '../entity/contract.ts';
import { zId, zTime } from '../ids.ts';
import { defineEndpoint } from './endpoint.ts';

const zBatchInput = z
  .strictObject({
    operation: z.enum(batchOperations),
    /** How long ago a contract must have come to its status. */
    older_than_hours: z.number().min(0).max(1_000_000).optional(),
    /** Some of the operation's own statuses. */
    status_filter: z.array(zContractStatus).min(1).max(9).optional(),
    reason: z.string().max(10_000).optional(),
    /** Minutes without progress, for `restart_stale`; the installation's threshold unless given. */
    stale_threshold: z.number().min(0).max(525_600).optional(),
    /** Of `pause_all`: agents may end their turns first, within so long. */
    finish_turn_seconds: z.int().min(1).max(86_400).optional(),
    /** Only say what would be done. */
    dry_run: z.boolean().default(false),
    /** Needed when more than one contract is affected. */
    confirm: z.boolean().default(false),
  })
  .refine((b) => b.finish_turn_seconds === undefined || b.operation === 'pause_all', {
    error: 'is of pause_all only',
    path: ['finish_turn_seconds'],
  });

export const batchContracts = defineEndpoint({
  id: 'batchContracts',
  method: 'POST',
  path: '/api/v1/contracts/batch',
  tag: 'contracts',
  summary: 'Archive, pause, resume, delete, restart or clean up after many contracts at once',
  description: `Each contract is a change of its own: what fails is told in \`errors\` and stops nothing else. At most ${batchMax} at a time; \`remaining\` says whether there are more. More than one needs \`confirm\`: CONFIRMATION_REQUIRED (428) shows them. \`pause_all\` stops agents at once; with \`finish_turn_seconds\` each may end its turn first, within that time, and a second one without it stops them now.`,
  body: zBatchInput,
  status: 200,
  response: z.object({
    operation: z.enum(batchOperations),
    dry_run: z.boolean(),
    affected_count: z.int(),
    affected_ids: z.array(zId),
    errors: z.array(z.object({ contract_id: zId, code: z.string(), error: z.string() })),
    /** What it is about, as it was found. */
    preview: z.array(
      z.object({
        id: zId,
        slug: z.string(),
        name: z.string(),
        status: zContractStatus,
        /** In this status; for `restart_stale`: without progress. */
        since: zTime,
      }),
    ),
    /** There are more than one call touches. */
    remaining: z.boolean(),
  }),
  errors: ['CONFIRMATION_REQUIRED'],
  policy: { person: 'owner', tool: 'none', daemon: false },
  idempotent: true,
});
