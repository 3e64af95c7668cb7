/**
 * Contracts of an owner in pages, in the order of attention over all of them: what needs a person comes first.
 * A contract whose attention changes while the pages are read may be met twice, or not.
 */
import type { Contract } from '@makima/contracts/entity/contract';
import { zId } from '@makima/contracts/ids';
import { attentions } from '@makima/domain/attention-rank';
import type { ContractStatus } from '@makima/domain/contract';
import { MakimaError } from '@makima/domain/error';
import { databaseTime } from '@makima/db/repo/clock';
import { rankedContracts, type ListPlace } from '@makima/db/repo/contract-list';
import { contractNumbers } from '@makima/db/repo/contract-numbers';
import { reading } from '@makima/db/tx';
import { requireReader } from '../authorize.ts';
import type { Engine } from '../context.ts';
import { presentContract } from '../present/contract.ts';
import { standstillsOf } from '../question/standstills.ts';
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
  const { ownerId } = caller;
  const { sql } = engine.database;
  const { staleThresholdMs } = engine.settings;
  const { after: cursor, stale, staleMinutes, limit, ...filters } = input;
  const after = placeOf(cursor);
  return reading(
    engine.database,
    (async () => {
      const stand = await standstillsOf(engine, sql, { ownerId });
      const standing = new Set(stand.flatMap(({ contractId }) => contractId ?? []));
      const rows = await rankedContracts(sql, {
        ...filters,
        ownerId,
        staleMs: stale !== true ? undefined : (staleMinutes ?? staleThresholdMs / 60_000) * 60_000,
        thresholdMs: staleThresholdMs,
        standing: [...standing],
        after,
        limit: limit + 1,
      });
      const page = rows.slice(0, limit);
      const [numbers, now] = await Promise.all([
        contractNumbers(sql, { ownerId, ids: page.map((row) => row.id) }),
        databaseTime(sql),
      ]);
      const seen = { now, staleThresholdMs, standing };
      const items = page.flatMap((row) => {
        const found = numbers.get(row.id);
        return found === undefined ? [] : [presentContract(row, found, seen)];
      });
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { items, nextCursor: last === undefined ? null : cursorOf(last) };
    })(),
  );
}

const cursorOf = ({ attention, id }: ListPlace): string => `${attention}.${id}`;

function placeOf(cursor: string | undefined): ListPlace | undefined {
  if (cursor === undefined) return undefined;
  const [word, id, ...rest] = cursor.split('.');
  const attention = attentions.find((one) => one === word);
  if (attention !== undefined && zId.safeParse(id).success && rest.length === 0)
    return { attention, id: id ?? '' };
  throw new MakimaError('VALIDATION_FAILED', 'this cursor is not from this list', {
    details: { errors: [{ pointer: '/after', detail: 'use the nextCursor of the page before' }] },
  });
}
