/** Conformance: kills, stops, freezes, parking, and going on afterwards, here and elsewhere. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Candidate, Stage, Watched } from './conformance-stage.ts';
import { appears, onStage, reasonOf, said } from './conformance-stage.ts';
import { isAlive, processesOfRuns, processRow } from './process-table.ts';

/** Starts the deed `wait`; returns when its program and the child that it leaves run. */
async function atWork({ start, subject, repo }: Stage): Promise<Watched> {
  const agent = await start({ prompt: said(subject.prompt('wait')) });
  await agent.until('tool_start', (tool) => tool.kind === 'shell');
  await appears(join(repo, 'started'));
  if (!subject.driver.caps.mirror) return agent;
  // Before the call stands in the conversation, a kill would lose it.
  await agent.until('transcript', ({ lines }) =>
    lines.some((line) => line.includes('touch started')),
  );
  return agent;
}

const family = (agent: Watched) => processesOfRuns(new Set([agent.session.runId]));

export function endingCases(candidate: Candidate): void {
  it('is killed in the middle of a tool, leaves nobody, and goes on in the same conversation', () =>
    onStage(candidate, async (stage) => {
      const { start, repo, sessionId } = stage;
      const first = await atWork(stage);
      const alive = family(first);
      expect(alive.length).toBeGreaterThan(2);
      process.kill(first.session.pid, 'SIGKILL');
      const exit = await first.until('exit');
      expect(exit).toMatchObject({ signal: 'SIGKILL', expected: false });
      expect(alive.filter(isAlive)).toEqual([]);
      expect(first.of('tool_end').at(-1)).toMatchObject({ ok: false, cause: 'unseen' });

      writeFileSync(join(repo, 'go'), '');
      const resumed = { mode: 'resume', attempt: 2, prompt: said('you were restored') } as const;
      if (stage.subject.driver.caps.resume === 'none') {
        expect(await reasonOf(start(resumed))).toBe('no_conversation');
        return;
      }
      const second = await start(resumed);
      await second.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(second.session.pid).not.toBe(first.session.pid);
      expect(second.of('started')).toMatchObject([{ sessionId, resumed: true }]);
      expect(second.said()).toContain('magenta');
    }));

  it('goes on in another home and directory from its transcript', () =>
    onStage(candidate, async (stage) => {
      const first = await atWork(stage);
      process.kill(first.session.pid, 'SIGKILL');
      await first.until('exit');
      const transcript = first.of('transcript').flatMap((event) => event.lines);

      const there = stage.elsewhere();
      writeFileSync(join(there.repo, 'go'), '');
      const { driver } = there.subject;
      const resumed = { driver, cwd: there.repo, mode: 'resume', attempt: 2 } as const;
      const prompt = said('you were moved');
      expect(await reasonOf(stage.start({ ...resumed, prompt }))).toBe('no_conversation');
      if (driver.caps.resume !== 'transcript') {
        const moved = stage.start({ ...resumed, prompt, transcript: ['{}'] });
        expect(await reasonOf(moved)).toBe('no_conversation');
        return;
      }
      const second = await stage.start({ ...resumed, prompt, transcript });
      await second.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(second.said()).toContain('magenta');
      const whole = second.of('transcript')[0];
      expect(whole?.replace).toBe(true);
      expect(whole?.lines).toEqual(transcript);
    }));

  it('stops what it works on, with all that it started', () =>
    onStage(candidate, async (stage) => {
      const agent = await atWork(stage);
      const alive = family(agent);
      const [once, again] = await Promise.all([
        agent.session.stop({ graceMs: 6000 }),
        agent.session.stop({ graceMs: 6000 }),
      ]);
      expect(again).toBe(once);
      expect(alive.filter(isAlive)).toEqual([]);
      expect(await agent.until('exit')).toMatchObject({ expected: true });
      expect(agent.events.at(-1)?.t).toBe('exit');
      await expect(agent.session.send(said('anybody?'))).rejects.toMatchObject({
        code: 'COMMAND_FAILED',
      });
    }));

  it('stands still when frozen, goes on when thawed, and can be stopped in between', () =>
    onStage(candidate, async (stage) => {
      const agent = await atWork(stage);
      const states = () => family(agent).map(({ pid }) => processRow(pid)?.state);
      expect(agent.session.freeze()).toBeGreaterThan(2);
      expect(states().filter((state) => state !== 'T' && state !== 'D')).toEqual([]);
      writeFileSync(join(stage.repo, 'go'), '');
      expect(agent.session.thaw()).toBeGreaterThan(2);
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.session.freeze()).toBeGreaterThan(0);
      const alive = family(agent);
      await agent.session.stop({ graceMs: 3000 });
      expect(alive.filter(isAlive)).toEqual([]);
    }));

  it('parks between turns, and only there', () =>
    onStage(candidate, async (stage) => {
      const { park, resume } = stage.subject.driver.caps;
      const agent = await atWork(stage);
      expect(await agent.session.park()).toBe(false);
      writeFileSync(join(stage.repo, 'go'), '');
      const { seq } = await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      await agent.until('state', ({ state }) => state === 'idle', seq);
      expect(await agent.session.park()).toBe(park);
      if (!park) return;
      expect(resume).not.toBe('none');
      expect(await agent.until('exit')).toMatchObject({ code: 0, expected: true });

      const later = await stage.start({ mode: 'resume', attempt: 2 });
      await later.session.send(said('what was it?'));
      await later.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(later.said()).toContain('what was it?');
    }));
}
