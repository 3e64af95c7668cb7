/** Findings, the plan that follows from them, and the breaker. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Finding,
  type RestorationFacts,
  findingSentence,
  inspect,
  isFault,
  sessionReachable,
} from './restoration-finding.ts';
import { planRestoration, restorationAllowed } from './restoration.ts';

const now = new Date('2030-01-03T00:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const hour = 3_600_000;

const sound: RestorationFacts = {
  state: 'present',
  restorationCount: 0,
  phase: 'plan',
  savedPhase: 'plan',
  spawnedTaskIds: ['t1', 't2'],
  tasks: [
    { id: 't1', name: 'one', status: 'done' },
    { id: 't2', name: 'two', status: 'running' },
  ],
  questions: [{ id: 'q1', question: 'Which?', askedAt: ago(hour), askerExists: true }],
  waitIds: ['w1'],
  conversation: { messageCount: 12, gapAfterSeq: null },
  snapshot: { valid: true },
  checkpoint: { commit: 'c'.repeat(40), exists: true },
  session: { id: 's1', daemonId: 'd1', transcript: 'server' },
  lastDaemon: { daemonId: 'd1', connected: true },
  repositoryExists: true,
};

const plan = (over: Partial<RestorationFacts>) => planRestoration({ ...sound, ...over }, now);
const kinds = (over: Partial<RestorationFacts>) =>
  inspect({ ...sound, ...over }, now).map((finding) => finding.kind);

describe('findings', () => {
  it('are none for a sound state', () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({ savedPhase: null, snapshot: null, checkpoint: null, lastDaemon: null })).toEqual(
      [],
    );
    expect(kinds({ session: null })).toEqual([]);
  });

  it.each<[Finding['kind'], Partial<RestorationFacts>]>([
    ['spawned_task_missing', { spawnedTaskIds: ['t1', 'gone'] }],
    ['checkpoint_missing', { checkpoint: { commit: 'c', exists: false } }],
    ['phase_mismatch', { savedPhase: 'research' }],
    ['snapshot_invalid', { snapshot: { valid: false, why: 'checksum' } }],
    ['snapshot_invalid', { snapshot: { valid: false } }],
    ['conversation_gap', { conversation: { messageCount: 4, gapAfterSeq: 2 } }],
    [
      'conversation_empty',
      { restorationCount: 1, conversation: { messageCount: 0, gapAfterSeq: null } },
    ],
    ['question_orphaned', { questions: [{ ...sound.questions[0]!, askerExists: false }] }],
    ['question_old', { questions: [{ ...sound.questions[0]!, askedAt: ago(25 * hour) }] }],
    ['repository_gone', { repositoryExists: false }],
    ['daemon_gone', { lastDaemon: { daemonId: 'd1', connected: false } }],
    ['session_transcript_missing', { session: { ...sound.session!, transcript: 'missing' } }],
  ])('%s is found, and told in one sentence', (kind, over) => {
    const findings = inspect({ ...sound, ...over }, now);
    expect(findings.map((finding) => finding.kind)).toEqual([kind]);
    for (const finding of findings) expect(findingSentence(finding)).toMatch(/^[\x20-\x7e]+\.$/);
    expect(isFault(findings[0]!)).toBe(kind !== 'question_old' && kind !== 'daemon_gone');
  });

  it('do not count what is young, first or whole', () => {
    expect(kinds({ questions: [{ ...sound.questions[0]!, askedAt: ago(24 * hour) }] })).toEqual([]);
    expect(kinds({ conversation: { messageCount: 0, gapAfterSeq: null } })).toEqual([]);
  });
});

describe('an agent session', () => {
  const session = { id: 's1', daemonId: 'd1', transcript: 'daemon_only' } as const;
  const reachable = (over: Partial<RestorationFacts>) => sessionReachable({ ...sound, ...over });

  it('is reached by its transcript, or on the machine that has it', () => {
    expect(reachable({ lastDaemon: null })).toBe(true);
    expect(reachable({ session })).toBe(true);
    expect(reachable({ session, lastDaemon: { daemonId: 'd2', connected: true } })).toBe(false);
    expect(reachable({ session, lastDaemon: { daemonId: 'd1', connected: false } })).toBe(false);
    expect(reachable({ session, lastDaemon: null })).toBe(false);
    expect(reachable({ session: null })).toBe(false);
  });
});

describe('the plan', () => {
  it('continues the session where it was, questions and waits kept', () => {
    expect(plan({})).toEqual({
      strategy: 'resume_session',
      daemonPreference: { daemonId: 'd1', only: false },
      findings: [],
      warnings: [],
      redeliver: ['q1'],
      cancelQuestions: [],
      keepWaits: ['w1'],
    });
  });

  it('stays with the daemon that alone has the transcript', () => {
    const session = { ...sound.session!, transcript: 'daemon_only' } as const;
    expect(plan({ session }).daemonPreference).toEqual({ daemonId: 'd1', only: true });
  });

  it('goes anywhere when the daemon is gone', () => {
    const lost = plan({ lastDaemon: { daemonId: 'd1', connected: false } });
    expect(lost).toMatchObject({ strategy: 'resume_session', daemonPreference: null });
    expect(lost.warnings).toEqual(['Daemon d1, where it last ran, is not connected.']);
    expect(plan({ lastDaemon: null }).daemonPreference).toBeNull();
  });

  it('goes back to the checkpoint when a spawned task is missing', () => {
    const missing = plan({ spawnedTaskIds: ['gone'] });
    expect(missing.strategy).toBe('checkpoint');
    expect(missing.warnings[0]).toContain('going back to the last checkpoint');
    expect(plan({ spawnedTaskIds: ['gone'], checkpoint: null }).strategy).toBe('fresh');
    const four = plan({ spawnedTaskIds: ['a', 'b', 'c', 'd'] });
    expect(four.strategy).toBe('checkpoint');
  });

  it('hands over to a person when more than three faults are found', () => {
    const faults = {
      checkpoint: { commit: 'c', exists: false },
      snapshot: { valid: false },
      conversation: { messageCount: 3, gapAfterSeq: 1 },
    };
    expect(plan(faults).strategy).toBe('resume_session');
    expect(plan({ ...faults, savedPhase: 'research' })).toMatchObject({
      strategy: 'manual',
      daemonPreference: null,
    });
    const withWarnings = {
      ...faults,
      lastDaemon: { daemonId: 'd1', connected: false },
      questions: [{ ...sound.questions[0]!, askedAt: ago(99 * hour) }],
    };
    expect(plan(withWarnings).strategy).toBe('resume_session');
  });

  it('starts fresh when the state cannot be read or was never saved', () => {
    expect(plan({ state: 'unreadable', spawnedTaskIds: ['gone'] })).toMatchObject({
      strategy: 'fresh',
      redeliver: ['q1'],
    });
    const none = plan({ state: 'none' });
    expect(none.strategy).toBe('fresh');
    expect(none.warnings).toEqual(['No saved state was found: starting fresh.']);
  });

  it('falls back when the session cannot be continued', () => {
    expect(plan({ session: null }).strategy).toBe('checkpoint');
    expect(plan({ session: null, checkpoint: null }).strategy).toBe('fresh');
    const gone = { checkpoint: { commit: 'c', exists: false }, session: null };
    expect(plan(gone).strategy).toBe('fresh');
  });

  it('starts nothing without a repository', () => {
    expect(plan({ repositoryExists: false, state: 'none' }).strategy).toBe('manual');
  });

  it('cancels a question whose asker is gone instead of asking it again', () => {
    const orphan = { ...sound.questions[0]!, id: 'q2', askerExists: false };
    expect(plan({ questions: [...sound.questions, orphan] })).toMatchObject({
      redeliver: ['q1'],
      cancelQuestions: ['q2'],
    });
  });
});

describe('every combination of facts', () => {
  const states = ['present', 'none', 'unreadable'] as const;
  const sessions = [null, 'server', 'daemon_only', 'missing'] as const;
  const daemons = [null, 'connected', 'gone', 'another'] as const;
  const checkpoints = [null, 'there', 'missing'] as const;
  const yesNo = ['yes', 'no'] as const;

  it('has one plan, as the ladder says', () => {
    let count = 0;
    for (const state of states)
      for (const at of sessions)
        for (const machine of daemons)
          for (const stands of checkpoints)
            for (const repository of yesNo)
              for (const missing of yesNo)
                for (const gap of yesNo)
                  for (const broken of yesNo) {
                    count += 1;
                    const facts: RestorationFacts = {
                      ...sound,
                      state,
                      session: at === null ? null : { id: 's1', daemonId: 'd1', transcript: at },
                      lastDaemon:
                        machine === null
                          ? null
                          : {
                              daemonId: machine === 'another' ? 'd2' : 'd1',
                              connected: machine !== 'gone',
                            },
                      checkpoint:
                        stands === null ? null : { commit: 'c', exists: stands === 'there' },
                      repositoryExists: repository === 'yes',
                      spawnedTaskIds: missing === 'yes' ? ['gone'] : [],
                      conversation: { messageCount: 4, gapAfterSeq: gap === 'yes' ? 2 : null },
                      snapshot: { valid: broken === 'no' },
                      savedPhase: broken === 'no' ? 'plan' : 'research',
                    };
                    const session =
                      at === 'server' || (at === 'daemon_only' && machine === 'connected');
                    const back = stands === 'there' ? 'checkpoint' : 'fresh';
                    const faults =
                      Number(stands === 'missing') +
                      2 * Number(broken === 'yes') +
                      Number(gap === 'yes') +
                      Number(at !== null && !session);
                    const expected =
                      repository === 'no'
                        ? 'manual'
                        : state !== 'present'
                          ? 'fresh'
                          : missing === 'yes'
                            ? back
                            : faults > 3
                              ? 'manual'
                              : session
                                ? 'resume_session'
                                : back;
                    const made = planRestoration(facts, now);
                    expect(made.strategy, JSON.stringify(facts)).toBe(expected);
                    expect(made.redeliver).toEqual(['q1']);
                    expect(made.keepWaits).toEqual(['w1']);
                    expect(made.warnings.length).toBeGreaterThanOrEqual(made.findings.length);
                    const only = made.daemonPreference?.only === true;
                    expect(only).toBe(expected === 'resume_session' && at === 'daemon_only');
                  }
    expect(count).toBe(3 * 4 * 4 * 3 * 16);
  });
});

describe('the breaker', () => {
  const minute = 60_000;

  it('lets four in a quarter of an hour pass, not five', () => {
    const four = [1, 2, 3, 4].map((n) => ago(n * minute));
    expect(restorationAllowed(four, now)).toEqual({ ok: true });
    expect(restorationAllowed([...four, ago(5 * minute)], now)).toEqual({
      ok: false,
      blocked: 'Restored 5 times in 15 minutes; a person should look before the next try.',
      until: new Date(now.getTime() + 10 * minute),
    });
  });

  it('forgets what is older', () => {
    const old = [15, 16, 17, 18, 19, 20].map((n) => ago(n * minute));
    expect(restorationAllowed(old, now)).toEqual({ ok: true });
  });

  it('names the first moment at which it would allow one again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 * minute }), { maxLength: 9 }), (ages) => {
        const history = ages.map(ago);
        const verdict = restorationAllowed(history, now);
        if (verdict.ok) return;
        expect(restorationAllowed(history, verdict.until).ok).toBe(true);
        expect(restorationAllowed(history, new Date(verdict.until.getTime() - 1)).ok).toBe(false);
      }),
    );
  });
});
