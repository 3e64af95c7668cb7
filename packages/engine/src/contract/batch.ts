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
import { isAnswered } from '@makima/db/repo/idempotency';
import { reading } from '@makima/db/tx';
import { requireOwner } from '../authorize.ts';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { restartSupervisor } from '../supervisor/restart.ts';
import { changeStatus } from './change-status.ts';
import { cleanLeftovers } from './clean-leftovers.ts';
import { deleteContract } from './remove.ts';

export type BatchInput = BodyOf<typeof endpoint>;
export type BatchResult = ResponseOf<typeof endpoint>;

/**
 * With an idempotency key the answer is kept when all is done; a repeat before that finds nothing more to do.
 * @throws VALIDATION_FAILED, CONFIRMATION_REQUIRED with what it is about.
 */
export async function batchContracts(
  engine: Engine,
  call: Call,
  input: BatchInput,
): Promise<Acted<BatchResult>> {
  requireOwner(call.caller, 'change many contracts at once');
  const selection = selectionOf(input);
  const answered = await isAnsweredAlready(engine, call);
  const result = answered ? undefined : await carryOutAll(engine, call, input, selection);
  return act(engine, call, async (a) => {
    // The key's answer was there, and is answered instead of this.
    if (result === undefined) throw new MakimaError('CONFLICT', 'the key expired just now');
    const { operation, dry_run, affected_count: affected, errors } = result;
    if (!dry_run) {
      const detail = { operation, affected, failed: errors.length };
      a.audit('contracts.batch', 'done', { kind: 'owner', id: a.ownerId }, detail);
    }
    return result;
  });
}

function selectionOf(input: BatchInput): BatchSelection {
  const verdict = batchSelection(input.operation, {
    statusFilter: input.status_filter,
    olderThanHours: input.older_than_hours,
    finishTurnSeconds: input.finish_turn_seconds,
  });
  if (verdict.ok) return verdict.selection;
  throw new MakimaError('VALIDATION_FAILED', verdict.reason, {
    details: { errors: [{ pointer: '/status_filter', detail: verdict.reason }] },
  });
}

async function isAnsweredAlready(engine: Engine, call: Call): Promise<boolean> {
  if (call.idempotency === undefined) return false;
  const { sql } = engine.database;
  const about = { ownerId: call.caller.ownerId, key: call.idempotency.key };
  return reading(engine.database, isAnswered(sql, about));
}

async function carryOutAll(
  engine: Engine,
  call: Call,
  input: BatchInput,
  selection: BatchSelection,
): Promise<BatchResult> {
  const found = await find(engine, call, input, selection);
  const rows = found.slice(0, batchMax);
  const preview = rows.map((row) => ({ ...row, since: row.since.toISOString() }));
  const errors: BatchResult['errors'] = [];
  if (!input.dry_run) {
    if (rows.length > 1 && !input.confirm) throw unconfirmed(preview, input.operation);
    for (const row of rows) await changeOne(engine, call, { input, row, errors });
  }
  const failed = new Set(errors.map((error) => error.contract_id));
  const affected_ids = rows.map(({ id }) => id).filter((id) => !failed.has(id));
  return {
    operation: input.operation,
    dry_run: input.dry_run,
    affected_count: affected_ids.length,
    affected_ids,
    errors,
    preview,
    remaining: found.length > batchMax,
  };
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
      staleMs: selection.only === 'stale' ? staleMs : null,
      leftovers: selection.only === 'leftovers',
      ending: selection.hurries,
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
  { operation, reason, finish_turn_seconds: finishTurnSeconds }: BatchInput,
  { id, status: onlyFrom }: BatchRow,
): Promise<unknown> {
  const change = { id, onlyFrom, reason };
  switch (operation) {
    case 'archive_old':
      return changeStatus(engine, call, { ...change, targetStatus: 'archived' });
    case 'pause_all':
      return changeStatus(engine, call, { ...change, targetStatus: 'paused', finishTurnSeconds });
    case 'resume_all':
      return changeStatus(engine, call, { ...change, targetStatus: 'active' });
    case 'cleanup_archived':
      return deleteContract(engine, call, { id, confirm: true });
    case 'restart_stale':
      return restartSupervisor(engine, call, { id, reason });
    case 'clean_worktrees':
      return cleanLeftovers(engine, call, { id });
  }
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
