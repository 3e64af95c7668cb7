/** Contract types that an owner defined: every version is kept, and never changed. */
import { integer, jsonb, primaryKey, snakeCase, text } from 'drizzle-orm/pg-core';
import type { ContractType } from '@makima/domain/contract-type';
import { bornAt, ownerId } from './columns.ts';
import { owners } from './identity.ts';

export const contractTypes = snakeCase.table(
  'contract_types',
  {
    ownerId: ownerId().references(() => owners.id),
    name: text().notNull(),
    version: integer().notNull(),
    definition: jsonb().$type<ContractType>().notNull(),
    createdBy: text().notNull(),
    /** The name of the file that it was read from; null: a person defined it. */
    sourceFile: text(),
    createdAt: bornAt(),
  },
  (t) => [primaryKey({ columns: [t.ownerId, t.name, t.version] })],
);
