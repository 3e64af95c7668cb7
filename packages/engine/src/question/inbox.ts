/** What needs a person, most urgent first (M8.11): one rank, computed here, shown everywhere. */
import type { InboxItem } from '@makima/contracts/entity/question';
import { inboxRank, type InboxKind } from '@makima/domain/attention';
import type { Standstill } from '@makima/domain/standstill';
import { contractsByIds } from '@makima/db/repo/contracts';
import { listContractRows } from '@makima/db/repo/contract-numbers';
import { listQuestionRows, type QuestionListRow } from '@makima/db/repo/questions';
import { quarantinedWebhooks } from '@makima/db/repo/webhooks';
import { cancelledReason } from '@makima/domain/contract';
import { reading } from '@makima/db/tx';
import type { Queryable } from '@makima/db/client';
import type { ContractRow, QuestionRow, WebhookRow } from '@makima/db/rows';
import type { Engine } from '../context.ts';
import type { Principal } from '../principal.ts';
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
      const [open, blocked, failed, dead, standing] = await Promise.all([
        listQuestionRows(sql, { ownerId, status: 'open', limit: most }),
        listContractRows(sql, { ownerId, status: 'blocked', limit: most }),
        listContractRows(sql, { ownerId, status: 'failed', limit: most }),
        quarantinedWebhooks(sql, { ownerId }),
        standstillsOf(engine, sql, ownerId),
      ]);
      const stuck = await contractsOf(sql, ownerId, standing);
      const asked = open.map(questionItem);
      const troubled = [
        ...blocked.map((row) => contractItem(row, 'blocked')),
        ...failed
          .filter((row) => row.failureReason?.startsWith(cancelledReason) !== true)
          .map((row) => contractItem(row, 'failure')),
        ...dead.map(webhookItem),
        ...standing.map((one) => standstillItem(one, stuck.get(one.contractId ?? ''))),
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
  standing: readonly Standstill[],
): Promise<Map<string, ContractRow>> {
  const ids = standing.flatMap(({ contractId }) => (contractId === null ? [] : [contractId]));
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
