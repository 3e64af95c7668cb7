/**
 * Contracts of an owner in pages: newest first by id, which is the cursor, and within a page those that
 * need a person first. Sorting over pages would make a cursor that moves while work goes on.
 */
import type { Contract } from '@makima/contracts/entity/contract';
import { compareAttention } from '@makima/domain/attention-rank';
import type { ContractStatus } from '@makima/domain/contract';
import { databaseTime } from '@makima/db/repo/clock';
import { contractNumbers, listContractRows } from '@makima/db/repo/contract-numbers';
import { reading } from '@makima/db/tx';
import { requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import { idCursor } from '../page-cursor.ts';
import { presentContract } from '../present/contract.ts';
import { mayStand, standstillsOf } from '../question/standstills.ts';
import type { Principal } from '../principal.ts';

export interface ContractListInput {
  readonly status?: readonly ContractStatus[] | undefined;
  readonly phase?: string | undefined;
  /** Only those that wait for input, or only those that do not. */
  readonly waiting?: boolean | undefined;
  /** Only those that make no progress although they should. */
  readonly stale?: boolean | undefined;
  /** What counts as long; the installation's threshold unless given. */
  readonly staleMinutes?: number | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** @throws VALIDATION_FAILED for a cursor that is none. */
export async function listContracts(
  engine: Engine,
  caller: Principal,
  input: ContractListInput,
): Promise<{ items: Contract[]; nextCursor: string | null }> {
  requireReader(caller, 'list contracts');
  const beforeId = idCursor(input.after);
  const { sql } = engine.database;
  const staleThresholdMs =
    input.staleMinutes === undefined
      ? engine.settings.staleThresholdMs
      : input.staleMinutes * 60_000;
  return reading(
    engine.database,
    (async () => {
      const rows = await listContractRows(sql, {
        ownerId: caller.ownerId,
        status: input.status,
        phase: input.phase,
        waiting: input.waiting,
        staleMs: input.stale === true ? staleThresholdMs : undefined,
        beforeId,
        limit: input.limit + 1,
      });
      const page = rows.slice(0, input.limit);
      const [numbers, now, standing] = await Promise.all([
        contractNumbers(sql, { ownerId: caller.ownerId, ids: page.map((row) => row.id) }),
        databaseTime(sql),
        page.some(mayStand) ? standstillsOf(engine, sql, caller.ownerId) : [],
      ]);
      const seen = {
        now,
        staleThresholdMs: engine.settings.staleThresholdMs,
        standing: new Set(standing.map(({ contractId }) => contractId)),
      };
      const items = page.flatMap((row) => {
        const found = numbers.get(row.id);
        return found === undefined ? [] : [presentContract(row, found, seen)];
      });
      return {
        items: items.toSorted((a, b) => compareAttention(a.attention, b.attention)),
        nextCursor: rows.length > input.limit ? (page.at(-1)?.id ?? null) : null,
      };
    })(),
  );
}
