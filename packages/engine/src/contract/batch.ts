/**
 * One operation on many contracts (M1.11): they are found, shown, and each is changed by the verb that changes
 * one. What fails for one is told and stops nothing else.
 *
 * Law: who found a contract in a status changes it only if it still is in it; more than one needs a yes.
 */
import type { BodyOf, ResponseOf } from '@makima/contracts/http/endpoint';
import type { batchContracts as endpoint } from '@makima/contracts/http/batch';
import {
  batchMax,
  batchSelection,
  type BatchOperation,
  type BatchSelection,
} from '@makima/domain/batch';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { contractsForBatch, type BatchRow } from '@makima/db/repo/batch';
import { reading } from '@makima/db/tx';
import { requireOwner } from '../authorize.ts';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { restartSupervisor } from '../supervisor/restart.ts';
import { changeStatus } from './change-status.ts';
import { deleteContract } from './remove.ts';

export type BatchInput = BodyOf<typeof endpoint>;
export type BatchResult = ResponseOf<typeof endpoint>;

/** @throws VALIDATION_FAILED, CONFIRMATION_REQUIRED with what it is about. */
export async function batchContracts(
  engine: Engine,
  call: Call,
  input: BatchInput,
): Promise<Acted<BatchResult>> {
  requireOwner(call.caller, 'change many contracts at once');
  const verdict = batchSelection(input.operation, {
    statusFilter: input.status_filter,
    olderThanHours: input.older_than_hours,
  });
  if (!verdict.ok) {
    throw new MakimaError('VALIDATION_FAILED', verdict.reason, {
      details: { errors: [{ pointer: '/status_filter', detail: verdict.reason }] },
    });
  }
  const found = await find(engine, call, input, verdict.selection);
  const rows = found.slice(0, batchMax);
  const base = {
    operation: input.operation,
    dry_run: input.dry_run,
    preview: rows.map((row) => ({ ...row, since: row.since.toISOString() })),
    remaining: found.length > batchMax,
  };
  if (input.dry_run) {
    const affected_ids = rows.map(({ id }) => id);
    const told = { affected_count: rows.length, affected_ids, errors: [] };
    return { result: { ...base, ...told }, replayed: false };
  }
  if (rows.length > 1 && !input.confirm) throw unconfirmed(base.preview, input.operation);
  const errors: BatchResult['errors'] = [];
  for (const row of rows) await changeOne(engine, call, { input, row, errors });
  const failed = new Set(errors.map((error) => error.contract_id));
  const affected_ids = rows.map(({ id }) => id).filter((id) => !failed.has(id));
  await note(engine, call, input.operation, affected_ids.length, errors.length);
  const told = { affected_count: affected_ids.length, affected_ids, errors };
  return { result: { ...base, ...told }, replayed: false };
}

/** One more than are touched, to know whether there are more. */
function find(
  engine: Engine,
  call: Call,
  input: BatchInput,
  selection: BatchSelection,
): Promise<BatchRow[]> {
  const { stale_threshold: minutes } = input;
  const staleMs = minutes === undefined ? engine.settings.staleThresholdMs : minutes * 60_000;
  return reading(
    engine.database,
    contractsForBatch(engine.database.sql, {
      ownerId: call.caller.ownerId,
      statuses: selection.statuses,
      olderThanMs: selection.olderThanHours * 3_600_000,
      staleMs: selection.stale ? staleMs : null,
      limit: batchMax + 1,
    }),
  );
}

interface One {
  readonly input: BatchInput;
  readonly row: BatchRow;
  readonly errors: BatchResult['errors'];
}

/** A store that is away is the end of the whole call; everything else is this contract's own. */
async function changeOne(engine: Engine, call: Call, { input, row, errors }: One): Promise<void> {
  try {
    await carryOut(engine, { caller: call.caller }, input, row);
  } catch (error) {
    if (!isMakimaError(error) || error.code === 'DEPENDENCY_UNAVAILABLE') throw error;
    errors.push({ contract_id: row.id, code: error.code, error: error.message });
  }
}

function carryOut(
  engine: Engine,
  call: Call,
  { operation, reason }: BatchInput,
  { id, status: onlyFrom }: BatchRow,
): Promise<unknown> {
  const change = { id, onlyFrom, reason };
  switch (operation) {
    case 'archive_old':
      return changeStatus(engine, call, { ...change, targetStatus: 'archived' });
    case 'pause_all':
      return changeStatus(engine, call, { ...change, targetStatus: 'paused' });
    case 'resume_all':
      return changeStatus(engine, call, { ...change, targetStatus: 'active' });
    case 'cleanup_archived':
      return deleteContract(engine, call, { id, confirm: true });
    case 'restart_stale':
      return restartSupervisor(engine, call, { id, reason });
  }
}

async function note(
  engine: Engine,
  call: Call,
  operation: BatchOperation,
  affected: number,
  failed: number,
): Promise<void> {
  const { caller } = call;
  await act(engine, { caller }, async (a) => {
    const target = { kind: 'owner', id: a.ownerId };
    a.audit('contracts.batch', 'done', target, { operation, affected, failed });
  });
}

function unconfirmed(preview: BatchResult['preview'], operation: BatchOperation): MakimaError {
  return new MakimaError(
    'CONFIRMATION_REQUIRED',
    `${operation} is about ${preview.length} contracts`,
    {
      details: { affected_count: preview.length, preview },
      fix: 'look at them, then send it again with confirm=true',
    },
  );
}
