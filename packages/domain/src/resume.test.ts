/** When a person may bring a supervisor back, and the plan of each mode. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractStatuses } from './contract.ts';
import { isResumeMode, judgeResume, planResume, resumeModes, type ResumeFacts } from './resume.ts';
import type { RestorationFacts } from './restoration-finding.ts';
import { isTaskFinal, taskSessions, taskStatuses } from './task.ts';

const now = new Date('2030-01-03T00:00:00Z');
const at = (ms: number) => ({ expiresAt: new Date(now.getTime() + ms) });

const works: ResumeFacts = {
  contractStatus: 'active',
  taskStatus: 'running',
  session: 'live',
  lease: at(30_000),
  daemonConnected: true,
};
const judge = (over: Partial<ResumeFacts>) => judgeResume({ ...works, ...over }, now).kind;

describe('a resume', () => {
  it('is refused only while an agent really runs', () => {
    expect(judge({})).toBe('runs');
    expect(judge({ taskStatus: 'starting' })).toBe('runs');
    expect(judge({ daemonConnected: false })).toBe('lost');
    expect(judge({ lease: at(0) })).toBe('lost');
    expect(judge({ lease: null })).toBe('lost');
    for (const taskStatus of ['interrupted', 'pending', 'paused'] as const)
      expect(judge({ taskStatus })).toBe('rests');
  });

  it('judges every combination, and says why nothing can be resumed any more', () => {
    const over = new Set(['completing', 'completed', 'failed', 'archived']);
    fc.assert(
      fc.property(
        fc.record<ResumeFacts>({
          contractStatus: fc.constantFrom(...contractStatuses),
          taskStatus: fc.constantFrom(...taskStatuses),
          session: fc.constantFrom(...taskSessions),
          lease: fc.constantFrom(null, at(1), at(0), at(-1)),
          daemonConnected: fc.boolean(),
        }),
        (facts) => {
          const verdict = judgeResume(facts, now);
          const isOver = over.has(facts.contractStatus) || isTaskFinal(facts.taskStatus);
          expect(verdict.kind === 'over').toBe(isOver);
          if (verdict.kind === 'over') expect(verdict.reason).toMatch(/^[A-Z].+\.$/);
          if (verdict.kind === 'runs') expect(facts.daemonConnected).toBe(true);
        },
      ),
    );
  });

  it('knows its modes', () => {
    for (const mode of resumeModes) expect(isResumeMode(mode)).toBe(true);
    expect(isResumeMode('again')).toBe(false);
  });
});

const sound: RestorationFacts = {
  state: 'present',
  restorationCount: 1,
  phase: 'plan',
  savedPhase: null,
  spawnedTaskIds: [],
  tasks: [],
  questions: [{ id: 'q1', question: 'Which?', askedAt: now, askerExists: true }],
  waitIds: ['w1'],
  conversation: { messageCount: 12, gapAfterSeq: null },
  snapshot: { valid: true },
  checkpoint: { commit: 'c'.repeat(40), exists: true },
  session: { id: 's1', daemonId: 'd1', transcript: 'daemon_only' },
  lastDaemon: { daemonId: 'd1', connected: true },
  repositoryExists: true,
};

describe('the plan of a mode', () => {
  const plan = (mode: (typeof resumeModes)[number], over: Partial<RestorationFacts> = {}) =>
    planResume({ ...sound, ...over }, mode, now);

  it('continues where it was, also past what waits for a person', () => {
    expect(plan('continue').strategy).toBe('resume_session');
    const faults: Partial<RestorationFacts> = {
      savedPhase: 'research',
      snapshot: { valid: false },
      conversation: { messageCount: 3, gapAfterSeq: 1 },
      checkpoint: { commit: 'c', exists: false },
    };
    expect(plan('continue', faults).strategy).toBe('resume_session');
    expect(plan('continue', faults).warnings).toHaveLength(5);
    const gone = { ...faults, lastDaemon: null };
    expect(plan('continue', gone).strategy).toBe('fresh');
    const { checkpoint } = sound;
    const two: RestorationFacts['questions'] = [{ ...sound.questions[0]!, askerExists: false }];
    expect(plan('continue', { ...gone, checkpoint, questions: two }).strategy).toBe('checkpoint');
  });

  it('begins a phase anew on any machine, questions and waits kept', () => {
    expect(plan('restart_phase')).toMatchObject({
      strategy: 'fresh',
      daemonPreference: null,
      redeliver: ['q1'],
      keepWaits: ['w1'],
      warnings: [expect.stringContaining('Phase plan is begun anew')],
    });
  });

  it('goes back to a checkpoint on any machine', () => {
    expect(plan('from_checkpoint')).toMatchObject({
      strategy: 'checkpoint',
      daemonPreference: null,
    });
  });

  it('has nothing to start without a repository', () => {
    for (const mode of resumeModes)
      expect(plan(mode, { repositoryExists: false }).strategy).toBe('manual');
  });
});
