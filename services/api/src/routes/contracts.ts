/** Handlers of contracts: each calls one verb. */
import { MakimaError } from '@makima/domain/error';
import { changePhase } from '@makima/engine/contract/change-phase';
import { changeStatus } from '@makima/engine/contract/change-status';
import { checkCompletion } from '@makima/engine/contract/check-completion';
import { createContract } from '@makima/engine/contract/create';
import { deleteContract } from '@makima/engine/contract/remove';
import { getContract } from '@makima/engine/contract/get';
import { listContracts } from '@makima/engine/contract/list';
import { patchContract } from '@makima/engine/contract/patch';
import { phaseReadiness } from '@makima/engine/contract/phase-readiness';
import {
  addRepository,
  listRepositories,
  removeRepository,
} from '@makima/engine/contract/repositories';
import { requestCompletion } from '@makima/engine/contract/request-completion';
import { setAutoComplete } from '@makima/engine/contract/set-auto-complete';
import { startContract } from '@makima/engine/contract/start';
import { trustRepository } from '@makima/engine/contract/trust';
import { resumeSupervisor } from '@makima/engine/supervisor/resume';
import { supervisorHeartbeats } from '@makima/engine/supervisor/heartbeats';
import { syncSupervisor } from '@makima/engine/supervisor/sync';
import { supervisorStatus } from '@makima/engine/supervisor/status';
import { whyContract } from '@makima/engine/contract/why';
import { holdForDeliverable } from '../holds/deliverable.ts';
import { requestHoldMs } from '../holds/hold-caller.ts';
import { reads, writes, type Handlers } from '../mount.ts';
import { completionAnswer, phaseAnswer } from './phase.ts';

export const contractHandlers = {
  createContract: writes(createContract),
  listContracts: reads(listContracts),
  getContract: reads(getContract),
  patchContract: writes(patchContract),
  deleteContract: writes(deleteContract),
  listRepositories: reads(listRepositories),
  addRepository: writes(addRepository),
  removeRepository: writes(removeRepository),
  trustRepository: writes(trustRepository),
  startContract: writes(startContract),
  changePhase: async ({ engine, call, input }) => {
    const { result, replayed } = await changePhase(engine, call, input);
    return { result: phaseAnswer(result), replayed };
  },
  completeDeliverable: async ({ api, call, caller, signal, input }) => {
    const outcome = await holdForDeliverable({ api, caller, signal, holdMs: requestHoldMs }, call, {
      input,
    });
    if (outcome.state === 'done') return { result: outcome.done, replayed: outcome.replayed };
    const code = outcome.draining ? 'DEPENDENCY_UNAVAILABLE' : 'OPERATION_TIMED_OUT';
    throw new MakimaError(code, 'the evidence is still being looked at', {
      retryable: true,
      details: { operationIds: outcome.operationIds },
      fix: 'send the same request again with the same Idempotency-Key',
    });
  },
  completeContract: async ({ engine, call, input }) => {
    const { result, replayed } = await requestCompletion(engine, call, input);
    return { result: completionAnswer(result), replayed };
  },
  changeStatus: writes(changeStatus),
  phaseReadiness: reads(phaseReadiness),
  checkCompletion: reads(checkCompletion),
  setAutoComplete: writes(setAutoComplete),
  whyContract: reads(whyContract),
  resumeSupervisor: writes(resumeSupervisor),
  supervisorStatus: reads(supervisorStatus),
  supervisorHeartbeats: reads(supervisorHeartbeats),
  syncSupervisor: writes(syncSupervisor),
} satisfies Partial<Handlers>;
