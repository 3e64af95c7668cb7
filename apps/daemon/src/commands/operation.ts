/**
 * How a command that is an operation is carried out: once, beside everything else, its result told.
 *
 * Law: every operation ends in one `operation.finished`, whether it worked or not; asked again, it answers
 * with what is recorded; asked while it runs, it says nothing twice. That the control plane is away ends none: it
 * could not be told of it either.
 */
import { isMakimaError } from '@makima/domain/error';
import type { Command } from '@makima/contracts/socket/commands';
import type {
  OperationError,
  OperationResult,
  Report,
  ReportOf,
} from '@makima/contracts/socket/reports';
import type { DaemonContext } from '../context.ts';
import { askAgain } from '../link/ask-again.ts';
import { cleanText } from '../session/lines.ts';

export type OperationCommand = Extract<Command, { operationId: string }>;

/** Carries out one kind; reports that belong before the result go through `tell`. */
export type OperationWork<C extends OperationCommand> = (
  context: DaemonContext,
  command: C,
  tell: (report: Report) => Promise<void>,
) => Promise<OperationResult>;

/** Largest report that a frame takes, in bytes of JSON. */
const reportMaxBytes = 900_000;
const factMaxBytes = 2_000;

export interface Operations {
  /** Those of one line are carried out and told one after the other, in the order in which they came. */
  run<C extends OperationCommand>(command: C, work: OperationWork<C>, line?: string): void;
  /** Resolves when none runs. */
  idle(): Promise<void>;
}

export function createOperations(context: DaemonContext): Operations {
  const running = new Map<string, Promise<void>>();
  const lines = new Map<string, Promise<void>>();
  return {
    run(command, work, line = command.operationId) {
      const { operationId } = command;
      if (running.has(operationId)) return;
      const former = lines.get(line) ?? Promise.resolve();
      const done = former
        .then(() => carryOut(context, command, work))
        .catch((error: unknown) =>
          context.log.error({ err: error, operationId }, 'a result was not written'),
        )
        .finally(() => {
          running.delete(operationId);
          if (lines.get(line) === done) lines.delete(line);
        });
      running.set(operationId, done);
      lines.set(line, done);
    },
    async idle() {
      await Promise.all(running.values());
    },
  };
}

async function carryOut<C extends OperationCommand>(
  context: DaemonContext,
  command: C,
  work: OperationWork<C>,
): Promise<void> {
  const { journal, log } = context;
  const recorded = journal.state.operations.get(command.operationId);
  if (recorded !== undefined) {
    await journal.report(recorded);
    return;
  }
  const startedAt = performance.now();
  let finished: ReportOf<'operation.finished'>;
  try {
    const patience = { now: context.now, patienceMs: context.config.timings.operationMs };
    const tell = (report: Report): Promise<void> => journal.report(report);
    const result = await askAgain(patience, () => work(context, command, tell));
    finished = bounded({
      kind: 'operation.finished',
      operationId: command.operationId,
      ok: true,
      result,
      error: null,
    });
  } catch (error) {
    log.warn(
      { err: error, command: command.kind, operationId: command.operationId },
      'operation failed',
    );
    finished = failed(command.operationId, errorOf(error));
  }
  await journal.report(finished);
  const ms = Math.round(performance.now() - startedAt);
  log.info(
    { command: command.kind, operationId: command.operationId, ok: finished.ok, ms },
    'operation',
  );
}

function failed(operationId: string, error: OperationError): ReportOf<'operation.finished'> {
  return { kind: 'operation.finished', operationId, ok: false, result: null, error };
}

function bounded(report: ReportOf<'operation.finished'>): ReportOf<'operation.finished'> {
  if (Buffer.byteLength(JSON.stringify(report)) <= reportMaxBytes) return report;
  const message = 'The result is too large to travel.';
  return failed(report.operationId, { code: 'PAYLOAD_TOO_LARGE', message });
}

function errorOf(error: unknown): OperationError {
  if (!isMakimaError(error)) {
    const message = cleanText(error instanceof Error ? error.message : 'failed');
    return { code: 'COMMAND_FAILED', message };
  }
  return {
    code: error.code,
    message: cleanText(error.message),
    ...(error.fix === undefined ? {} : { fix: cleanText(error.fix) }),
    ...(error.retryable ? { retryable: true } : {}),
    details: plainFacts(error.details),
  };
}

/** Facts as they may be stored: small, clean text, numbers, and where an input was wrong. */
function plainFacts(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(details), (_key, value: unknown) =>
    typeof value === 'string' ? cleanText(value, factMaxBytes) : value,
  ) as Record<string, unknown>;
}
