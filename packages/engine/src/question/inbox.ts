/** What needs a person, most urgent first (M8.11): one rank, computed here, shown everywhere. */
import type { InboxItem } from '@makima/contracts/entity/question';
import { inboxRank, type InboxKind } from '@makima/domain/attention';
import { invariantKinds, invariantWords } from '@makima/domain/invariant';
import { budgetOf, budgetWords } from '@makima/domain/budget';
import { nothingSpent } from '@makima/domain/usage';
import type { Standstill } from '@makima/domain/standstill';
import { warnedContracts } from '@makima/db/repo/budgets';
import { spentOfContracts } from '@makima/db/repo/usage';
import { contractsByIds } from '@makima/db/repo/contracts';
import { listContractRows } from '@makima/db/repo/contract-numbers';
import { openIncidents, openIncidentsOfKinds } from '@makima/db/repo/incidents';
import { listQuestionRows, type QuestionListRow } from '@makima/db/repo/questions';
import { quarantinedWebhooks } from '@makima/db/repo/webhooks';
import { cancelledReason } from '@makima/domain/contract';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { ContractRow, IncidentRow, QuestionRow, WebhookRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
import { staleKind } from '../contract/stale.ts';
import { requireReader } from '../authorize.ts';
import { presentQuestion } from '../present/question.ts';
import { standstillsOf } from './standstills.ts';

const most = 200;

interface Ranked {
  readonly id: string;
  readonly kind: InboxKind;
  readonly since: Date;
  readonly blocksWork: boolean;
  readonly item: Omit<InboxItem, 'rank'>;
}

export async function inbox(engine: Engine, caller: Principal): Promise<{ items: InboxItem[] }> {
  requireReader(caller, 'see the inbox');
  const { sql } = engine.database;
  const { ownerId } = caller;
  return reading(
    engine.database,
    (async () => {
      const [open, blocked, failed, dead, standing, silent, odd, warned] = await Promise.all([
        listQuestionRows(sql, { ownerId, status: 'open', limit: most }),
        listContractRows(sql, { ownerId, status: ['blocked'], limit: most }),
        listContractRows(sql, { ownerId, status: ['failed'], limit: most }),
        quarantinedWebhooks(sql, { ownerId }),
        standstillsOf(engine, sql, { ownerId }),
        openIncidents(sql, { ownerId, kind: staleKind, limit: most }),
        openIncidentsOfKinds(sql, { ownerId, kinds: invariantKinds, limit: most }),
        budgetItems(sql, ownerId),
      ]);
      const stuck = await contractsOf(sql, ownerId, [
        ...standing,
        ...silent.map((row) => ({ contractId: row.subject })),
      ]);
      const asked = open.map(questionItem);
      const troubled = [
        ...blocked.map((row) => contractItem(row, 'blocked')),
        ...failed
          .filter((row) => row.failureReason?.startsWith(cancelledReason) !== true)
          .map((row) => contractItem(row, 'failure')),
        ...warned,
        ...dead.map(webhookItem),
        ...standing.map((one) => standstillItem(one, stuck.get(one.contractId ?? ''))),
        ...odd.map(oddItem),
        ...silent.flatMap((row) => staleItem(row, stuck.get(row.subject)) ?? []),
      ];
      return {
        items: inboxRank([...asked, ...troubled]).map((ranked, i) => ({
          ...ranked.item,
          rank: i + 1,
        })),
      };
    })(),
  );
}

function questionItem(row: QuestionListRow): Ranked {
  const kind = kindOf(row);
  return {
    id: row.id,
    kind,
    since: row.askedAt,
    blocksWork: !row.nonBlocking,
    item: {
      kind,
      since: row.askedAt.toISOString(),
      contractId: row.contractId,
      contractSlug: row.contractSlug,
      contractName: row.contractName,
      title: row.question,
      question: presentQuestion(row),
      act: `makima answer ${row.id} ${answersOf(row)}`,
    },
  };
}

function answersOf(row: QuestionRow): string {
  if (row.questionType === 'permission') return 'allow|deny [<why>]';
  if (row.choices.length === 0) return '<text>';
  return row.multiSelect ? '<choices>' : '<choice>';
}

function kindOf(row: QuestionRow): InboxKind {
  if (row.confirmationId !== null) return 'confirmation';
  return row.questionType === 'permission' ? 'permission' : 'question';
}

function contractItem(row: ContractRow, kind: 'blocked' | 'failure'): Ranked {
  return {
    id: row.id,
    kind,
    since: row.statusChangedAt,
    blocksWork: kind === 'blocked',
    item: {
      kind,
      since: row.statusChangedAt.toISOString(),
      contractId: row.id,
      contractSlug: row.slug,
      contractName: row.name,
      title: (kind === 'blocked' ? row.blockedReason : row.failureReason) ?? row.status,
      question: null,
      act: `makima why ${row.slug}`,
    },
  };
}

async function contractsOf(
  db: Queryable,
  ownerId: string,
  about: readonly Pick<Standstill, 'contractId'>[],
): Promise<Map<string, ContractRow>> {
  const ids = about.flatMap(({ contractId }) => (contractId === null ? [] : [contractId]));
  if (ids.length === 0) return new Map();
  const rows = await contractsByIds(db, { ownerId, ids: [...new Set(ids)] });
  return new Map(rows.map((row) => [row.id, row]));
}

function standstillItem(standing: Standstill, contract: ContractRow | undefined): Ranked {
  const { id, since, title, act } = standing;
  return {
    id,
    kind: 'standstill',
    since,
    blocksWork: true,
    item: {
      kind: 'standstill',
      since: since.toISOString(),
      contractId: contract?.id ?? null,
      contractSlug: contract?.slug ?? null,
      contractName: contract?.name ?? null,
      title,
      question: null,
      act,
    },
  };
}

/** A contract in which nothing moves: its incident is open. */
function staleItem(row: IncidentRow, contract: ContractRow | undefined): Ranked | undefined {
  if (contract === undefined) return undefined;
  return {
    id: row.id,
    kind: 'stale',
    since: row.openedAt,
    blocksWork: true,
    item: {
      kind: 'stale',
      since: row.openedAt.toISOString(),
      contractId: contract.id,
      contractSlug: contract.slug,
      contractName: contract.name,
      title: `Nothing has moved since ${String(row.detail['lastProgressAt'])}`,
      question: null,
      act: `makima why ${contract.slug}`,
    },
  };
}

/** The stored rows do not add up, and it was not put right by itself. */
function oddItem(row: IncidentRow): Ranked {
  const contractId = row.detail['contractId'];
  return {
    id: row.id,
    kind: 'incident',
    since: row.openedAt,
    blocksWork: false,
    item: {
      kind: 'incident',
      since: row.openedAt.toISOString(),
      contractId: typeof contractId === 'string' ? contractId : null,
      contractSlug: null,
      contractName: null,
      title: `Something does not add up: ${invariantWords(row.kind)} (${row.subject})`,
      question: null,
      act: 'makima doctor',
    },
  };
}

/** Contracts of whose budget most is used; those that are used up have a question. */
async function budgetItems(db: Queryable, ownerId: string): Promise<Ranked[]> {
  const rows = await warnedContracts(db, { ownerId, limit: most });
  const spent = await spentOfContracts(db, { ownerId, contractIds: rows.map(({ id }) => id) });
  return rows.map((row) => {
    const since = row.budgetWarnedAt ?? row.createdAt;
    const words = budgetWords(budgetOf(row), spent.get(row.id) ?? nothingSpent);
    return {
      id: row.id,
      kind: 'budget',
      since,
      blocksWork: false,
      item: {
        kind: 'budget',
        since: since.toISOString(),
        contractId: row.id,
        contractSlug: row.slug,
        contractName: row.name,
        title: `Most of its budget is used: ${words}`,
        question: null,
        act: `makima contracts budget ${row.slug} <dollars>`,
      },
    };
  });
}

/** An endpoint that is told nothing any more until an owner looks. */
function webhookItem(row: WebhookRow): Ranked {
  return {
    id: row.id,
    kind: 'incident',
    since: row.statusChangedAt,
    blocksWork: false,
    item: {
      kind: 'incident',
      since: row.statusChangedAt.toISOString(),
      contractId: null,
      contractSlug: null,
      contractName: null,
      title: `Webhook ${row.name} is set aside: ${row.statusReason ?? 'it does not answer'}`,
      question: null,
      act: `makima webhooks show ${row.id}`,
    },
  };
}
