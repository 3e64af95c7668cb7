/**
 * `makima contracts advance`: into the next phase; with --confirm past a guard, as a person.
 *
 * Law: what is confirmed is what this command has just seen: the contract's version, and the open request if
 * there is one. If it changed meanwhile, the server refuses.
 */
import type { Client } from '@makima/client/client';
import type { ContractDetail } from '@makima/contracts/entity/contract';
import type { Question } from '@makima/contracts/entity/question';
import { isMakimaError, MakimaError } from '@makima/domain/error';
import { tellDone } from '../act.ts';
import { changeStatus } from '../change-status.ts';
import { contractId } from '../find.ts';
import type { Shell } from '../shell.ts';

interface Options {
  readonly phase?: string;
  readonly confirm?: true;
  readonly force?: true;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const contract = await client.call('getContract', { params: { id } });
  const request = options.confirm === true ? await openRequest(client, contract) : undefined;
  const phase = options.phase ?? nextPhase(contract);
  if (phase === undefined) {
    await confirmCompletion(shell, client, { contract, request, options });
    return;
  }
  await enter(shell, client, { contract, phase, request, options });
}

interface Step {
  readonly contract: ContractDetail;
  readonly phase: string;
  readonly request: Question | undefined;
  readonly options: Options;
}

async function enter(shell: Shell, client: Client, step: Step): Promise<void> {
  const { contract, phase, request, options } = step;
  const confirmationId =
    request?.confirmation?.toPhase === phase ? request.confirmation.id : undefined;
  try {
    const moved = await client.call('changePhase', {
      params: { id: contract.id },
      body: {
        phase,
        expectedVersion: contract.version,
        ...(options.confirm === true ? { confirmed: true } : {}),
        ...(confirmationId === undefined ? {} : { confirmationId }),
        ...(options.force === true ? { force: true } : {}),
      },
    });
    tellDone(shell, moved, `${contract.slug} went from ${moved.previousPhase} to ${moved.phase}`);
  } catch (error) {
    throw isMakimaError(error) ? withFix(error, contract, phase) : error;
  }
}

/** The command line says it in its own words, with the name that was typed. */
function withFix(error: MakimaError, contract: ContractDetail, phase: string): MakimaError {
  const fixes: Readonly<Record<string, string>> = {
    PHASE_GUARD_REQUIRED: `a person runs: makima contracts advance ${contract.slug} --confirm   (or answers in the inbox)`,
    VERSION_CONFLICT: `look again: makima contracts show ${contract.slug}   and repeat it`,
    VALIDATION_FAILED: `makima why ${contract.slug}   or skip what is missing: --force`,
  };
  const other = error.code === 'VALIDATION_FAILED' && !('missing' in error.details);
  if (isWrongPhase(error)) {
    const next = nextPhase(contract);
    const fix =
      next === undefined
        ? `${contract.phase} is its last phase: makima contracts advance ${contract.slug} --confirm completes it`
        : `leave out --phase: ${next} comes after ${contract.phase}`;
    // A phase that its type does not have is a fault of the command line, no gate that is shut.
    const { missing, ...rest } = error.details;
    const details = contract.phases.includes(phase) ? { missing, ...rest } : rest;
    return new MakimaError(error.code, error.message, { details, fix, cause: error });
  }
  const fix = (other ? undefined : fixes[error.code]) ?? error.fix;
  if (fix === undefined) return error;
  const { code, message, details, retryable } = error;
  return new MakimaError(code, message, { details, retryable, fix, cause: error });
}

function isWrongPhase({ details }: MakimaError): boolean {
  const { missing } = details as { missing?: unknown };
  return (
    Array.isArray(missing) && missing.some((item: { kind?: unknown }) => item.kind === 'phase')
  );
}

function nextPhase(contract: ContractDetail): string | undefined {
  return contract.phases[contract.phases.indexOf(contract.phase) + 1];
}

async function openRequest(
  client: Client,
  contract: ContractDetail,
): Promise<Question | undefined> {
  const page = await client.call('listQuestions', {
    query: { status: 'open', contractId: contract.id, limit: 200 },
  });
  return page.items.find((question) => question.confirmation !== null);
}

/** After the last phase comes the end, which is a question when it is not automatic. */
async function confirmCompletion(
  shell: Shell,
  client: Client,
  { contract, request, options }: Omit<Step, 'phase'>,
): Promise<void> {
  if (request === undefined && options.confirm === true) {
    // Nobody was asked, because nothing completes by itself here: the person's word begins the end.
    const to = contract.status === 'completing' ? 'completed' : 'completing';
    await changeStatus(shell, { typed: contract.slug, to, done: to });
    return;
  }
  if (request === undefined || request.confirmation?.toPhase !== null) {
    throw new MakimaError(
      'INVALID_TRANSITION',
      `${contract.phase} is the last phase of ${contract.slug}`,
      {
        details: { why: 'it completes by itself when everything that the phase owes is there' },
        fix: `makima why ${contract.slug}`,
      },
    );
  }
  const answered = await client.call('answerQuestion', {
    params: { id: request.id },
    body: { response: 'confirm' },
  });
  tellDone(shell, answered, `the completion of ${contract.slug} is confirmed`);
  if (shell.format !== 'json') shell.say(`  makima watch ${contract.slug}`);
}
