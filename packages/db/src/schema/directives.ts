/** Directives: standing goals in a repository. */
import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, snakeCase, text, unique } from 'drizzle-orm/pg-core';
import type { DirectiveStatus } from '@makima/domain/directive';
import type { ReconcileMode } from '@makima/domain/question';
import { bornAt, id, ownerId } from './columns.ts';
import { owners } from './identity.ts';

export const directives = snakeCase.table(
  'directives',
  {
    id: id(),
    ownerId: ownerId().references(() => owners.id),
    title: text().notNull(),
    goal: text().notNull(),
    status: text().$type<DirectiveStatus>().notNull().default('active'),
    reconcileMode: text().$type<ReconcileMode>().notNull().default('auto'),
    repositoryUrl: text(),
    localPath: text(),
    baseBranch: text(),
    agent: text().notNull().default('claude'),
    model: text(),
    version: integer().notNull().default(1),
    createdAt: bornAt(),
    updatedAt: bornAt(),
  },
  (t) => [
    unique('directives_owner_id').on(t.ownerId, t.id),
    index('directives_owner').on(t.ownerId, t.status, t.id),
    check('directives_status', sql`${t.status} in ('active', 'archived')`),
    check('directives_mode', sql`${t.reconcileMode} in ('auto', 'semi-auto', 'manual')`),
    check('directives_place', sql`${t.repositoryUrl} is null or ${t.localPath} is null`),
  ],
);

/** Of a row that may belong to a directive. */
export const directiveKey = (t: { ownerId: any; directiveId: any }) =>
  foreignKey({
    columns: [t.ownerId, t.directiveId],
    foreignColumns: [directives.ownerId, directives.id],
  });
