/** `socket.md`: the protocol between a daemon and the gateway, as its zod schemas parse it. */
import { z } from 'zod';
import {
  askTimeoutMs,
  daemonAskResults,
  serverAskResults,
  zDaemonAsk,
  zServerAsk,
} from '@makima/contracts/socket/asks';
import { zAgentMessage, zCommand, zRepositorySpec } from '@makima/contracts/socket/commands';
import {
  closeCodes,
  socketProtocol,
  zAgentInfo,
  zDaemonFrame,
  zRunning,
  zServerFrame,
} from '@makima/contracts/socket/frames';
import {
  zConflict,
  zDiffFile,
  zOperationResult,
  zOutputLine,
  zReport,
  zUsage,
} from '@makima/contracts/socket/reports';
import { closes } from '@makima/daemon-gateway/close';
import { readSource } from '../checkout.ts';
import { fieldComments, variants, type Variant } from '../comments.ts';
import { code, page, table } from '../markdown.ts';
import { fieldsOf, typeText, type Schema } from '../type-text.ts';

const folder = 'packages/contracts/src/socket';

/** Shapes that stand once and are named where they are used. */
const shapes: Readonly<Record<string, z.ZodType>> = {
  AgentInfo: zAgentInfo,
  AgentMessage: zAgentMessage,
  Conflict: zConflict,
  DiffFile: zDiffFile,
  OutputLine: zOutputLine,
  RepositorySpec: zRepositorySpec,
  Running: zRunning,
  Usage: zUsage,
};
const unions: Readonly<Record<string, z.ZodType>> = {
  Command: zCommand,
  Report: zReport,
  DaemonAsk: zDaemonAsk,
  ServerAsk: zServerAsk,
  OperationResult: zOperationResult,
};
const named = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries({ ...shapes, ...unions })) named.add(schema, { id });

export function socketPage(): string {
  const [daemonFrames, serverFrames] = halves('frames.ts', 'export const zServerFrame');
  const [results, reports] = halves('reports.ts', 'export const zReport =');
  const [daemonAsks, serverAsks] = halves('asks.ts', 'export const zServerAsk');
  const commands = readSource(`${folder}/commands.ts`);
  return page(
    'Socket of a daemon',
    [`${folder}/`, 'services/daemon-gateway/src/close.ts'],
    [
      `Protocol ${socketProtocol}: JSON text frames, one object a frame, on \`/daemon\` of the gateway with the daemon's key. Hello, welcome; then commands and reports, each numbered, sent until acked, applied once and in order; a heartbeat that renews every lease at once; asks both ways. A reconnect is the same talk again. \`attempt\` is the fence: what carries an old one is kept as late evidence and neither blocks nor overwrites.`,
      '## Frames of the daemon',
      ...section(zDaemonFrame, variants(daemonFrames, 'type'), 'type'),
      '## Frames of the gateway',
      ...section(zServerFrame, variants(serverFrames, 'type'), 'type'),
      '## Commands',
      'Durable rows with a number per daemon. An `operationId` marks long git work whose result comes as the report `operation.finished`.',
      ...section(zCommand, variants(commands, 'kind'), 'kind'),
      '## Reports',
      ...section(zReport, variants(reports, 'kind'), 'kind'),
      '## Results of operations',
      'In `operation.finished`, by the kind of the command.',
      ...section(zOperationResult, variants(results, 'kind'), 'kind'),
      '## Asks',
      `Not durable; answered within ${askTimeoutMs / 1000} s or failed, then asked again. An ask changes nothing.`,
      '### From a daemon',
      ...section(zDaemonAsk, variants(daemonAsks, 'kind'), 'kind', '####'),
      answers(daemonAskResults),
      '### From the control plane',
      ...section(zServerAsk, variants(serverAsks, 'kind'), 'kind', '####'),
      answers(serverAskResults),
      '## Shapes',
      ...Object.entries(shapes).map(([name, schema]) => shapeSection(name, schema)),
      '## Why a socket is closed',
      closeTable(),
    ],
  );
}

function halves(file: string, mark: string): [string, string] {
  const source = readSource(`${folder}/${file}`);
  const at = source.indexOf(mark);
  if (at < 0) throw new Error(`${file} has no "${mark}" any more`);
  return [source.slice(0, at), source.slice(at)];
}

function schemaOf(schema: z.ZodType): Schema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    metadata: named,
    unrepresentable: 'any',
  }) as Schema & { $defs?: Record<string, Schema> };
  const own = made.$ref?.split('/').at(-1);
  return own === undefined ? made : (made.$defs?.[own] ?? made);
}

/** One heading per variant, with its fields. */
function section(
  union: { readonly options: readonly z.ZodType[] },
  told: ReadonlyMap<string, Variant>,
  key: 'kind' | 'type',
  level = '###',
): string[] {
  return union.options.map((option) => {
    const fields = fieldsOf(schemaOf(option));
    const name = String(fields.find((field) => field.name === key)?.schema.const);
    const variant = told.get(name);
    if (variant === undefined) throw new Error(`${name} was not found in the sources of ${folder}`);
    const rest = fields.filter((field) => field.name !== key);
    return [
      `${level} ${name}`,
      variant.comment,
      rest.length === 0 ? '' : fieldTable(rest, fieldComments(variant.body)),
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  });
}

function fieldTable(
  fields: ReturnType<typeof fieldsOf>,
  meanings: ReadonlyMap<string, string>,
): string {
  const told = fields.some(({ name }) => meanings.has(name));
  return table(
    ['field', 'type', ...(told ? [''] : [])],
    fields.map(({ name, optional, schema }) => [
      code(optional ? `${name}?` : name),
      typeText(schema),
      ...(told ? [meanings.get(name) ?? ''] : []),
    ]),
  );
}

function answers(results: Readonly<Record<string, z.ZodType>>): string {
  return table(
    ['ask', 'answer'],
    Object.entries(results).map(([name, schema]) => [code(name), code(typeText(schemaOf(schema)))]),
  );
}

function shapeSection(name: string, schema: z.ZodType): string {
  return `### ${name}\n\n${fieldTable(fieldsOf(schemaOf(schema)), new Map())}`;
}

function closeTable(): string {
  const names = new Map<number, string>(
    Object.entries(closeCodes).map(([name, number]) => [number, name]),
  );
  const rows = Object.values(closes).map((close) => [
    close.code,
    names.get(close.code) ?? '',
    close.reason,
  ]);
  return table(['code', 'name', 'because'], rows);
}
