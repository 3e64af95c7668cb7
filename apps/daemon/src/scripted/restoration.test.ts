/** The scripted agent killed, resumed, moved: a kill anywhere changes nothing in the end. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { movedNotice } from '@makima/domain/moved';
import { git, said } from '../driver/conformance-stage.ts';
import { startFailureReason } from '../driver/start-failure.ts';
import { endOf, plan, play, texts } from './test-stage.ts';

describe('restoration', () => {
  it('crashes once, is told of it, and refers to what was before', () =>
    play(async ({ start, root }) => {
      const ledger = join(root, 'ledger.jsonl');
      const script = `
steps:
  - set: magenta
    as: colour
  - say: before
  - crash: { once: true }
  - say: 'it was \${colour}, restored \${restored.count}'`;
      const env = { MAKIMA_LEDGER: ledger };
      const first = await start({ env, prompt: plan(script) });
      expect(await first.until('exit')).toMatchObject({ code: 137, expected: false });
      const notice = said('=== SUPERVISOR RESTORATION NOTICE ===\nYou were restored.');
      const second = await start({ env, mode: 'resume', attempt: 2, prompt: notice });
      await endOf(second);
      expect(texts(second)).toEqual([
        'Restored (attempt 2): going on where I was.',
        'it was magenta, restored 1',
      ]);
      const noted = readFileSync(ledger, 'utf8')
        .trim()
        .split('\n')
        .map(
          (line) => JSON.parse(line) as { event: string; attempt: number; pid: number; n: number },
        );
      const starts = noted.filter(({ event }) => event === 'start');
      expect(starts.map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(starts.map(({ pid }) => pid)).toEqual([first.session.pid, second.session.pid]);
      expect(noted.filter(({ event }) => event === 'restored')).toHaveLength(1);
    }));

  it(
    'ends the same wherever it is killed',
    () =>
      play(async ({ start, repo, tools }) => {
        const script = `
steps:
  - write: { file: log.txt, content: "begin\\n" }
  - repeat: 3
    steps:
      - append: { file: log.txt, content: "line \${index}\\n" }
      - tool: { name: makima_echo, args: { value: 'v\${index}' } }
        as: echo
      - append: { file: log.txt, content: "\${echo.echo}\\n" }
      - commit: 'step \${index}'
  - done: finished`;
        const prompt = plan(script);
        let kills = 0;
        for (let attempt = 1; ; attempt += 1) {
          const notice = said('=== SUPERVISOR RESTORATION NOTICE ===');
          const agent = await start(
            attempt === 1 ? { prompt } : { attempt, mode: 'resume', prompt: notice },
          );
          // Each life is killed some lines later, and whatever it did while the news of them travelled.
          const lines = () => agent.of('transcript').filter(({ replace }) => !replace).length;
          const far = agent.until('transcript', () => lines() >= 2 + ((attempt * 7) % 6));
          far.then(
            () => process.kill(agent.session.pid, 'SIGKILL'),
            () => undefined,
          );
          const turn = await endOf(agent).catch(() => null);
          if (turn?.outcome === 'completed') break;
          kills += 1;
          expect(kills).toBeLessThan(60);
        }
        const lines = [0, 1, 2].flatMap((n) => [`line ${n}`, `v${n}`]);
        expect(readFileSync(join(repo, 'log.txt'), 'utf8')).toBe(
          `${['begin', ...lines, ''].join('\n')}`,
        );
        expect(git(repo, 'log', '--reverse', '--format=%s').split('\n')).toEqual([
          'start',
          ...[0, 1, 2].map((n) => `step ${n}`),
        ]);
        const calls = new Map(tools.calls.map((call) => [call.toolId, call.args.value]));
        expect([...calls.values()]).toEqual(['v0', 'v1', 'v2']);
        expect(kills).toBeGreaterThan(2);
      }),
    60_000,
  );

  it.each(['done', 'at work'])(
    'makes again in another directory what is not there, when it was %s',
    (how) =>
      play(async ({ start, repo, tools }) => {
        const wait = how === 'done' ? '' : '  - wait_message: { containing: go }\n';
        const script = `
steps:
  - write: { file: kept.txt, content: "kept\\n" }
  - append: { file: log.txt, content: "line\\n" }
  - tool: { name: makima_echo, args: { value: once } }
  - commit: the work
${wait}  - write: { file: last.txt, content: "last" }
  - done: finished`;
        const first = await start({ prompt: plan(script) });
        await (how === 'done'
          ? endOf(first)
          : first.until('tool_start', ({ name }) => name === 'wait_message'));
        await first.session.stop({ graceMs: 3_000 });
        git(repo, 'reset', '-q', '--hard', 'HEAD~1');
        git(repo, 'clean', '-qfd');
        const moved = said(movedNotice({ kind: 'began' }));
        const second = await start({ mode: 'resume', attempt: 2, prompt: moved });
        if (how !== 'done') await second.session.send(said('go'));
        expect(await endOf(second)).toMatchObject({ outcome: 'completed', text: 'finished' });
        expect(git(repo, 'log', '--reverse', '--format=%s')).toBe('start\nthe work');
        expect(readFileSync(join(repo, 'log.txt'), 'utf8')).toBe('line\n');
        expect(readFileSync(join(repo, 'last.txt'), 'utf8')).toBe('last');
        expect(tools.calls.map(({ args }) => args.value)).toEqual(['once']);
        await second.session.stop({ graceMs: 3_000 });
        git(repo, 'reset', '-q', '--hard');
        const third = await start({ mode: 'resume', attempt: 3, prompt: said('well?') });
        await endOf(third);
        expect(texts(third)).toEqual(['Noted: well?']);
      }),
  );

  it('takes a conversation whose last line was cut', () =>
    play(async ({ start, root, sessionId }) => {
      const agent = await start({
        prompt: plan('steps:\n  - say: one\n  - wait_message\n  - say: two'),
      });
      await agent.until('tool_start');
      process.kill(agent.session.pid, 'SIGKILL');
      await agent.until('exit');
      const file = join(root, 'home-here', 'sessions', `${sessionId}.jsonl`);
      expect(existsSync(file)).toBe(true);
      appendFileSync(file, '{"t":"end","key":"scr');
      const later = await start({ mode: 'resume', attempt: 2, prompt: said('well?') });
      await endOf(later);
      expect(texts(later)).toEqual(['two']);
    }));

  it(
    'goes on from every line of its conversation to the same end',
    () =>
      play(async ({ start, tools }) => {
        const script = `
steps:
  - set: magenta
    as: colour
  - append: { file: log.txt, content: "x" }
  - repeat: 1
    steps:
      - tool: { name: makima_echo, args: { value: '\${colour}' } }
        as: echo
  - wait_message: { containing: go }
    as: sign
  - when: { equals: ['\${echo.echo}', magenta] }
    steps: [{ say: 'it was \${sign.text}' }]
  - done: 'finished with \${colour}'
on_message:
  - say: 'heard \${message.text}'`;
        const go = said('go');
        const other = said('something else');
        const first = await start({ prompt: plan(script) });
        await first.session.send(other);
        await first.session.send(go);
        await endOf(first);
        await first.session.stop({ graceMs: 3000 });
        const lines = first.of('transcript').flatMap((event) => event.lines);
        const ids = new Set(tools.calls.map((call) => call.toolId));
        expect(texts(first)).toEqual(['it was go', 'heard something else']);

        const firstMessage = lines.findIndex((line) => line.includes('"t":"message"'));
        for (let known = firstMessage + 1; known <= lines.length; known += 1) {
          const transcript = lines.slice(0, known);
          const notice = said('=== SUPERVISOR RESTORATION NOTICE ===');
          const later = await start({ mode: 'resume', attempt: 2, transcript, prompt: notice });
          await later.session.send(other);
          await later.session.send(go);
          const turn = await endOf(later);
          expect(`${known}: ${turn.outcome} ${turn.text}`).toBe(
            `${known}: completed finished with magenta`,
          );
          await later.session.stop({ graceMs: 3000 });
        }
        expect(new Set(tools.calls.map((call) => call.toolId))).toEqual(ids);
      }),
    60_000,
  );

  it('is nothing to go on with before its first message', () =>
    play(async ({ start }) => {
      const empty = ['{"t":"session","v":1,"sessionId":"s"}'];
      const lost = start({
        sessionId: 's',
        mode: 'resume',
        transcript: empty,
        prompt: said('go on'),
      });
      expect(await lost.catch(startFailureReason)).toBe('no_conversation');
      const anew = await start({ sessionId: 's', prompt: plan('steps: [{ done: well }]') });
      expect((await endOf(anew)).text).toBe('well');
    }));
});
