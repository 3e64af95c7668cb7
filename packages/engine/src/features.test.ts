/** Settings and flags of seed 004: on, the behaviour is there; off, exactly it is gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zAskInput } from '@makima/contracts/entity/question';
import { changePhase } from './contract/change-phase.ts';
import { changeStatus } from './contract/change-status.ts';
import { checkCompletion } from './contract/check-completion.ts';
import { completeDeliverable } from './contract/complete-deliverable.ts';
import { getContract } from './contract/get.ts';
import { phaseReadiness } from './contract/phase-readiness.ts';
import type { Features, Settings } from './context.ts';
import { inbox } from './question/inbox.ts';
import { askQuestion } from './question/ask.ts';
import { defaultSettings, settingTables } from './settings.ts';
import { TestDaemon } from './test-daemon.ts';
import {
  by,
  eventsOf,
  newContract,
  openTestEngine,
  refusal,
  runJobs,
  type TestEngine,
} from './test-engine.ts';
import { stage } from './test-stage.ts';

let t: TestEngine;
let daemon: TestDaemon;
beforeAll(async () => {
  t = await openTestEngine();
  daemon = await TestDaemon.join(t, { slots: 50 });
});
afterAll(() => t.close());

/** The same store under other settings. */
function under(settings: Partial<Settings>): TestEngine {
  return { ...t, engine: { ...t.engine, settings: { ...t.engine.settings, ...settings } } };
}
const without = (flag: keyof Features): TestEngine =>
  under({ features: { ...defaultSettings.features, [flag]: false } });

/** A contract whose first gate is met, looked at; then its last, looked at again. */
async function lived(house: TestEngine): Promise<{ plan: string; end: string; asked: string[] }> {
  const { id } = await newContract(house, { phaseGuard: false });
  const deliver = async (phase: string, deliverableId: string): Promise<void> => {
    const evidence = [{ kind: 'word' as const, text: 'it stands' }];
    const call = by(house.owner);
    await completeDeliverable(house.engine, call, { id, phase, deliverableId, evidence });
    await house.database.sql`update tasks set status = 'pending' where contract_id = ${id}`;
    await runJobs(house);
  };
  await deliver('plan', 'plan-document');
  const { phase } = await getContract(house.engine, house.owner, { id });
  if (phase === 'plan') {
    const readiness = await phaseReadiness(house.engine, house.owner, { id });
    expect(readiness).toMatchObject({ ready: true, auto_advance_enabled: false });
    await changePhase(house.engine, by(house.owner), { id, phase: 'execute' });
  }
  await deliver('execute', 'implementation');
  const { status } = await getContract(house.engine, house.owner, { id });
  const check = await checkCompletion(house.engine, house.owner, { id });
  if (status === 'active' || status === 'waiting_for_input')
    expect(check.would_complete).toBe(false);
  const { items } = await inbox(house.engine, house.owner);
  const asked = items.filter((item) => item.contractId === id).map(({ kind }) => kind);
  return { plan: phase, end: status, asked };
}

describe('auto_complete', () => {
  it('on, gates that are met are left, and the last one completes', async () => {
    expect(await lived(t)).toMatchObject({
      plan: 'execute',
      end: expect.stringMatching(/^complet/),
    });
  });

  it('off, nothing advances or completes without a person', async () => {
    const off = await lived(without('autoComplete'));
    expect(off).toEqual({ plan: 'plan', end: 'waiting_for_input', asked: ['confirmation'] });
  });
});

it('auto_complete_enabled off, it advances by itself and asks before it completes', async () => {
  const off = await lived(under({ autoCompleteEnabled: false }));
  expect(off).toEqual({ plan: 'execute', end: 'waiting_for_input', asked: ['confirmation'] });
});

it('auto_advance_phases off, it completes by itself and is advanced by others', async () => {
  const off = await lived(under({ autoAdvancePhases: false }));
  expect(off).toMatchObject({ plan: 'plan', end: expect.stringMatching(/^complet/) });
});

describe('enhanced_contract_status', () => {
  const statuses = async (id: string): Promise<unknown[]> =>
    (await eventsOf(t, id))
      .filter(({ type }) => type === 'contract.status_changed')
      .map(({ data }) => data['to']);

  it('on, questions, pauses, blockers and failures have statuses of their own', async () => {
    const { contract, supervisor } = await stage(t, { daemon });
    const { id } = contract;
    await askQuestion(t.engine, by(supervisor), zAskInput.parse({ question: 'Which?' }));
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'paused' });
    await changeStatus(t.engine, by(t.owner), { id, targetStatus: 'failed' });
    expect(await statuses(id)).toEqual(['active', 'waiting_for_input', 'paused', 'failed']);
  });

  it('off, only active, completed and archived are where a contract rests', async () => {
    const house = without('enhancedContractStatus');
    const { contract, supervisor } = await stage(house, { daemon });
    const { id } = contract;
    const ask = zAskInput.parse({ question: 'Which?' });
    await askQuestion(house.engine, by(supervisor), ask);
    for (const targetStatus of ['paused', 'blocked', 'waiting_for_input'] as const) {
      const change = changeStatus(house.engine, by(t.owner), { id, targetStatus, reason: 'x' });
      expect(await refusal(change)).toMatchObject({ code: 'INVALID_TRANSITION' });
    }
    // The question is asked all the same.
    const { items } = await inbox(house.engine, t.owner);
    expect(items.filter((item) => item.contractId === id)).toMatchObject([{ kind: 'question' }]);
    expect((await getContract(house.engine, t.owner, { id })).status).toBe('active');
    await changeStatus(house.engine, by(t.owner), { id, targetStatus: 'failed', reason: 'enough' });
    const ended = await getContract(house.engine, t.owner, { id });
    expect(ended).toMatchObject({ status: 'archived', failureReason: 'enough' });
  });
});

it('every setting of the seed is one, from the environment and from the file', () => {
  const settings = [
    'stale_threshold_minutes',
    'input_timeout_hours',
    'completion_grace_period_minutes',
    'archive_retention_days',
    'auto_complete_enabled',
    'auto_advance_phases',
    'heartbeat_interval_seconds',
    'heartbeat_timeout_seconds',
    'monitor_ws_buffer_size',
    'stale_detection_interval_seconds',
  ];
  const flags = [
    'enhanced_contract_status',
    'auto_complete',
    'supervisor_heartbeat',
    'monitoring_dashboard',
  ];
  for (const key of settings) expect(settingTables['contracts']?.get(key), key).toBeDefined();
  expect([...(settingTables['feature_flags']?.keys() ?? [])].toSorted()).toEqual(flags.toSorted());
  expect(defaultSettings).toMatchObject({
    staleThresholdMs: 30 * 60_000,
    completionGraceMs: 5 * 60_000,
    heartbeatIntervalMs: 30_000,
    heartbeatTimeoutMs: 120_000,
    monitorBufferSize: 1_000,
    staleDetectionMs: 60_000,
  });
});
