/**
 * What a verb works with: one transaction, the database's time, who acts, and three ways to tell the
 * world: events (facts), mail (jobs, through the outbox) and hints (wake-ups after commit).
 *
 * Law: state, event and mail are one transaction. What is told is buffered here and written at its end,
 * so that the lock on a contract's event number is held for the shortest time; hints leave after commit
 * and may be lost.
 */
import type { EventType } from '@makima/contracts/entity/event';
import type { Hint } from '@makima/contracts/channels';
import { channels } from '@makima/contracts/channels';
import { jobId, jobVersion, type JobName, type JobPayload } from '@makima/contracts/jobs';
import type { Limits } from '@makima/domain/limits';
import type { Price } from '@makima/domain/usage';
import type { Database, Tx } from '@makima/db/client';
import { inTransaction } from '@makima/db/tx';
import { databaseTime } from '@makima/db/repo/clock';
import { appendEvents, type NewEvent } from '@makima/db/repo/events';
import { appendOutbox, type NewMail } from '@makima/db/repo/outbox';
import { beginIdempotent, finishIdempotent } from '@makima/db/repo/idempotency';
import { insertAudit } from '@makima/db/repo/audit';
import { MakimaError } from '@makima/domain/error';
import { actorOf, type Principal } from './principal.ts';

/** Settings of the installation that verbs honour (surface.md, settings). Durations in their unit. */
export interface Settings {
  readonly completionGraceMs: number;
  /** So long a contract waits for a person before it is paused; null: for ever. */
  readonly inputTimeoutMs: number | null;
  /** So long after its end a contract is archived by itself; null: never. */
  readonly archiveAfterMs: number | null;
  /** So long an archived contract is kept; null: for ever. */
  readonly archiveRetentionMs: number | null;
  /** So long an incident is kept after its end; null: for ever. */
  readonly incidentRetentionMs: number | null;
  readonly leaseMs: number;
  readonly maxRetries: number;
  readonly autoAdvancePhases: boolean;
  /** Contracts complete by themselves unless they say otherwise; off, each asks a person. */
  readonly autoCompleteEnabled: boolean;
  readonly staleThresholdMs: number;
  /** How often a supervisor's heartbeat is kept, and after how long a silence it counts as dead. */
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** How long a supervisor may wait before it gives up its process; null: it never does. */
  readonly parkAfterMs: number | null;
  /** Hosts that webhooks may reach although they are not public: `host` or `host:port`. */
  readonly webhookAllowedHosts: readonly string[];
  /** Of models whose agents tell no cost, by the beginning of a model's name or by the kind of agent. */
  readonly prices: ReadonlyMap<string, Price>;
  /** Most events that wait in memory for one monitor. */
  readonly monitorBufferSize: number;
  /** How often silent contracts are looked for. */
  readonly staleDetectionMs: number;
  readonly features: Features;
}

/** The flags of seed 004. Off, each takes away exactly what its comment names. */
export interface Features {
  /** Statuses beyond active, completed and archived in which a contract may come to rest. */
  readonly enhancedContractStatus: boolean;
  /** Phases that are left and contracts that complete without a person's word. */
  readonly autoComplete: boolean;
  /** The history of heartbeats, and that silence counts as a death. */
  readonly supervisorHeartbeat: boolean;
  /** The monitor of contracts and the dashboard. */
  readonly monitoringDashboard: boolean;
}

export interface Engine {
  readonly database: Database;
  readonly limits: Limits;
  readonly settings: Settings;
  /** The context of the trace that a verb runs in, as W3C `traceparent`; mail and commands carry it on. */
  readonly traceparent?: () => string | undefined;
  /** Called after each commit that wrote mail or has hints; must not throw. */
  readonly committed: (told: { readonly mail: number; readonly hints: readonly Hint[] }) => void;
  /** Named places at which a test may end the process (see `runtime/racepoint`); absent in production. */
  readonly race?: (point: string) => Promise<void> | void;
}

/** Who calls a verb, and how often the same call may have been made before. */
export interface Call {
  readonly caller: Principal;
  /** Same key, same effect, same answer (Idempotency-Key, or an agent's tool-use id). */
  readonly idempotency?: {
    readonly key: string;
    readonly fingerprint: string;
    readonly keep: 'days' | 'forever';
  };
}

export interface Act {
  readonly tx: Tx;
  /** The database's time. */
  readonly now: Date;
  readonly caller: Principal;
  readonly ownerId: string;
  readonly engine: Engine;
  /** Of what this act belongs to; undefined where nobody traces. */
  readonly traceparent: string | undefined;
  /** The same act, as far as it belongs to this trace; undefined: to none. */
  inTrace(traceparent: string | undefined): Act;
  emit(
    type: EventType,
    about: { contractId: string | null; taskId?: string | null; data?: Record<string, unknown> },
  ): void;
  mail<N extends JobName>(
    name: N,
    payload: Omit<JobPayload<N>, 'v' | 'ownerId'>,
    ticket: { entityId: string; fence: number | string; notBefore?: Date },
  ): void;
  hint(channel: string, body?: string): void;
  /** A privileged act or a refusal, for the audit. */
  audit(
    action: string,
    outcome: 'done' | 'refused',
    target: { kind: string; id: string },
    detail?: Record<string, unknown>,
  ): void;
}

/** The answer of a verb, and whether it is the stored answer of an earlier call. */
export interface Acted<T> {
  readonly result: T;
  readonly replayed: boolean;
}

/**
 * Run a verb: one transaction, with the idempotency key's row first and events and mail last. `work` may
 * run again after a serialization failure; it has no effect outside `act.tx` and the buffers.
 * What `work` returns must survive JSON when the call has an idempotency key.
 */
export async function act<T>(
  engine: Engine,
  call: Call,
  work: (act: Act) => Promise<T>,
): Promise<Acted<T>> {
  let hints: Hint[] = [];
  let mailCount = 0;
  const acted = await inTransaction(engine.database, async (tx): Promise<Acted<T>> => {
    const told = new Told();
    hints = told.hints;
    const ownerId = call.caller.ownerId;
    const now = await databaseTime(tx);
    if (call.idempotency !== undefined) {
      const stored = await beginIdempotent(tx, { ownerId, now, ...call.idempotency });
      if (stored.kind === 'done') return { result: stored.response as T, replayed: true };
      if (stored.kind !== 'new') throw refusals[stored.kind]();
    }
    const trace = engine.traceparent?.();
    const result = await work(buildAct(engine, call.caller, { tx, now, told, trace }));
    mailCount = told.mail.length;
    await Promise.all([
      appendEvents(tx, told.events),
      appendOutbox(tx, told.mail),
      insertAudit(tx, told.audits),
      call.idempotency === undefined
        ? undefined
        : finishIdempotent(tx, { ownerId, key: call.idempotency.key, response: result }),
    ]);
    if (told.events.length > 0)
      told.hints.push({ channel: channels.ownerEvents(ownerId), body: '' });
    await engine.race?.('act.before_commit');
    return { result, replayed: false };
  });
  await engine.race?.('act.after_commit');
  if (!acted.replayed && (mailCount > 0 || hints.length > 0))
    engine.committed({ mail: mailCount, hints });
  return acted;
}

/** Why a key gives neither an answer nor leave to begin. */
const refusals = {
  mismatch: () =>
    new MakimaError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used with another request', {
      fix: 'send a new key with a new request',
    }),
  in_flight: () =>
    new MakimaError(
      'IDEMPOTENCY_IN_FLIGHT',
      'the first request with this Idempotency-Key is still at work',
      { retryable: true, fix: 'send the same request again: it gets the answer of the first' },
    ),
};

class Told {
  readonly events: NewEvent[] = [];
  readonly mail: NewMail[] = [];
  readonly hints: Hint[] = [];
  readonly audits: Parameters<typeof insertAudit>[1][number][] = [];
}

interface Within {
  readonly tx: Tx;
  readonly now: Date;
  readonly told: Told;
  readonly trace: string | undefined;
}

function buildAct(engine: Engine, caller: Principal, within: Within): Act {
  const { tx, now, told, trace } = within;
  const ownerId = caller.ownerId;
  const actor = actorOf(caller);
  return {
    tx,
    now,
    caller,
    ownerId,
    engine,
    traceparent: trace,
    inTrace: (other) => buildAct(engine, caller, { ...within, trace: other }),
    emit(type, about) {
      told.events.push({
        ownerId,
        contractId: about.contractId,
        taskId: about.taskId ?? null,
        type,
        actor,
        data: about.data ?? {},
      });
    },
    mail(name, payload, ticket) {
      told.mail.push({
        ownerId,
        queue: name,
        jobId: jobId(name, ticket.entityId, ticket.fence),
        payload: {
          v: jobVersion,
          ownerId,
          ...(trace === undefined ? {} : { trace }),
          ...payload,
        },
        notBefore: ticket.notBefore ?? null,
      });
    },
    hint(channel, body = '') {
      told.hints.push({ channel, body });
    },
    audit(action, outcome, target, detail = {}) {
      told.audits.push({
        ownerId,
        actor,
        keyId: 'keyId' in caller ? caller.keyId : null,
        action,
        outcome,
        targetKind: target.kind,
        targetId: target.id,
        detail,
      });
    },
  };
}

/** What a task keeps that becomes pending: whatever places it is of the same trace. */
export function tracedTask(a: Act): { readonly trace: string | null } {
  return { trace: a.traceparent ?? null };
}
