/**
 * Sweep: what must hold is asked of the rows. What does not is one incident for each cause, opened and told
 * once, put right by the verbs where that is safe, and closed, once, when it holds again.
 *
 * Law: finding changes nothing but incidents; healing is a verb like any other, fenced and safe to run twice.
 * What cannot be healed stays open until somebody has looked.
 */
import { invariantKinds, invariants, type InvariantKind } from '@makima/domain/invariant';
import { findContract } from '@makima/db/repo/contracts';
import {
  closeIncident,
  countIncidentsByKind,
  openIncident,
  openIncidentsOfKind,
} from '@makima/db/repo/incidents';
import { brokenRows, type BrokenRow, type Histories } from '@makima/db/repo/invariants';
import { reading } from '@makima/db/tx';
import type { IncidentRow } from '@makima/db/rows';
import { act, type Act, type Engine } from '../context.ts';
import { eachRow } from '../each-row.ts';
import type { System } from '../principal.ts';
import { heal } from './heal.ts';

export interface AuditInput {
  /** What has been wrong for less may be under way. Default a minute. */
  readonly graceMs?: number;
  /** Of each kind. */
  readonly limit: number;
  /** Default all. */
  readonly kinds?: readonly InvariantKind[];
  /** How much of long histories this look counts. Default all. */
  readonly histories?: Histories;
  /** Called for each incident that is opened, after its commit. */
  readonly opened?: (kind: InvariantKind) => void;
}

const defaultGraceMs = 60_000;

/** Answers how many rows break an invariant, healed ones included. */
export async function auditInvariants(engine: Engine, input: AuditInput): Promise<number> {
  let found = 0;
  await eachRow(input.kinds ?? invariantKinds, async (kind) => {
    found += await auditKind(engine, kind, input);
  });
  return found;
}

/** How many incidents of each kind are open, over all owners. */
export async function countViolations(engine: Engine): Promise<[InvariantKind, number][]> {
  const open = await reading(engine.database, countIncidentsByKind(engine.database.sql));
  return invariantKinds.map((kind) => [kind, open.find((one) => one.kind === kind)?.n ?? 0]);
}

async function auditKind(engine: Engine, kind: InvariantKind, input: AuditInput): Promise<number> {
  const { sql } = engine.database;
  const search = {
    graceMs: input.graceMs ?? defaultGraceMs,
    limit: input.limit,
    ...(input.histories === undefined ? {} : { histories: input.histories }),
  };
  const [open, broken] = await reading(
    engine.database,
    (async () => [
      // Before the search: what is opened meanwhile is not taken for healed.
      await openIncidentsOfKind(sql, { kind, limit: input.limit }),
      await brokenRows(sql, kind, search),
    ])() as Promise<[IncidentRow[], BrokenRow[]]>,
  );
  await eachRow(broken, async (row) => {
    const isNew = await act(engine, { caller: callerOf(row) }, (a) => openFor(a, kind, row));
    if (isNew.result) input.opened?.(kind);
    if (invariants[kind].heals) await heal(engine, callerOf(row), kind, row);
  });
  // A search that was cut short does not show that the others hold again.
  if (broken.length === input.limit) return broken.length;
  const stillBroken = new Set(broken.map(keyOf));
  const over = open.filter((row) => !stillBroken.has(keyOf(row)));
  await eachRow(over, (row) => act(engine, { caller: callerOf(row) }, (a) => closeFor(a, row)));
  return broken.length;
}

const keyOf = ({ ownerId, subject }: Pick<BrokenRow, 'ownerId' | 'subject'>): string =>
  `${ownerId} ${subject}`;

const callerOf = ({ ownerId }: { readonly ownerId: string }): System => ({
  kind: 'system',
  ownerId,
  name: 'self-audit',
});

async function openFor(a: Act, kind: InvariantKind, row: BrokenRow): Promise<boolean> {
  const { ownerId, subject, contractId, taskId, attempt } = row;
  const opened = await openIncident(a.tx, {
    ownerId,
    kind,
    subject,
    detail: { contractId, taskId, attempt },
  });
  if (opened === undefined) return false;
  a.emit('incident.opened', { contractId, taskId, data: dataOf(opened) });
  return true;
}

async function closeFor(a: Act, row: IncidentRow): Promise<void> {
  const closed = await closeIncident(a.tx, row);
  if (closed === undefined) return;
  const id = closed.detail['contractId'];
  const contract =
    typeof id === 'string' ? await findContract(a.tx, { ownerId: a.ownerId, id }) : undefined;
  a.emit('incident.closed', { contractId: contract?.id ?? null, data: dataOf(closed) });
}

function dataOf({ id, kind, subject }: IncidentRow): Record<string, unknown> {
  return { incidentId: id, kind, subject, reason: invariants[kind as InvariantKind].says };
}
