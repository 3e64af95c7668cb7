/** Following: contracts and events, through lost connections, to the right end. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type DescribedServerOptions,
  type Handlers,
} from '@makima/client/testing/described-server';
import {
  sampleDetail,
  sampleEvent,
  sampleId,
  sampleQuestion,
} from '@makima/client/testing/samples';
import type { ContractDetail } from '@makima/contracts/entity/contract';
import type { Event } from '@makima/contracts/entity/event';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
const id = sampleId('contract', 1);
let feed: Feed;
afterEach(() => feed.server.close());
afterAll(() => stage.remove());

/** A contract and its events, both of which a test moves; requests wait as the API's do. */
class Feed {
  readonly events: Event[] = [];
  contract: ContractDetail = sampleDetail(1, { slug: 'fix-login' });
  server!: DescribedServer;
  readonly #changed = new EventTarget();

  add(...events: Event[]): void {
    this.events.push(...events);
    this.#changed.dispatchEvent(new Event_('added'));
  }

  why = { status: 'active', moving: true, kind: 'gate', reason: 'It works.' };
  #questions = 0;

  /** It was asked so often why it stands still. */
  asked(times: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#questions >= times) resolve();
      };
      this.#changed.addEventListener('asked', look);
      look();
    });
  }

  readonly handlers: Handlers = {
    whyContract: () => {
      this.#questions += 1;
      this.#changed.dispatchEvent(new Event_('asked'));
      const { status, moving, kind, reason } = this.why;
      const blocker = { kind, reason, since: null, whoCanAct: 'person', act: 'makima daemon list' };
      const blockers = [{ ...blocker, taskId: null, questionId: null }];
      return { id, kind: 'contract', status, moving, summary: reason, blockers };
    },
    getContract: () => this.contract,
    listQuestions: () => ({ items: [sampleQuestion(1)], nextCursor: null }),
    listEvents: async ({ query, signal }) => {
      const from = Number(query.after ?? 0);
      if (query.wait > 0 && this.events.length <= from) await this.#next(query.wait, signal);
      const items = this.events.slice(from, from + query.limit);
      return { items, nextCursor: null, cursor: String(from + items.length) };
    },
  };

  #next(waitSeconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, waitSeconds * 1_000).unref();
      this.#changed.addEventListener('added', () => resolve(), { once: true });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
const Event_ = globalThis.Event;

async function open(options: DescribedServerOptions = {}): Promise<Feed> {
  feed = new Feed();
  feed.server = await startDescribedServer(feed.handlers, options);
  stage.url = feed.server.url;
  return feed;
}

const begin = [
  sampleEvent(1, 'contract.created', { data: { slug: 'fix-login' } }),
  sampleEvent(2, 'task.spawned', { taskId: sampleId('task', 2), data: { name: 'write-tests' } }),
];

describe('watch', () => {
  it('tells what was and what comes, and ends with 0 when it completes', async () => {
    const feed = await open();
    feed.add(...begin);
    const watching = stage.start(['watch', id]);
    await watching.until('write-tests');
    feed.contract = { ...feed.contract, status: 'completed' };
    feed.add(sampleEvent(3, 'contract.completed'));
    const { code, stdout, stderr } = await watching.end;
    expect([code, stderr]).toEqual([0, 'fix-login is completed\n']);
    const words = stdout.trimEnd().split('\n');
    expect(words.map((line) => line.slice(10, 22).trim())).toEqual([
      '+ contract',
      '+ task',
      'v completed',
    ]);
  });

  it('says where the result is, and why it was not merged as asked for', async () => {
    const feed = await open();
    const note = 'The checkout of the base branch has uncommitted changes: commit or stash them';
    const delivery = { branch: 'makima/fix-login', commitSha: 'a1', baseMoved: false, note };
    const over = { ...feed.contract, status: 'completed', autoMergeLocal: true, delivery } as const;
    feed.contract = over;
    const summary = 'makima/fix-login is in the repository, but not merged: it is dirty';
    const finished = { kind: 'branch.deliver', ok: true, summary };
    feed.add(sampleEvent(1, 'operation.finished', { data: finished }));
    feed.add(sampleEvent(2, 'contract.completed'));
    const { stdout, stderr } = await stage.run(['watch', id]);
    expect(stdout).toContain(summary);
    expect(stderr.split('\n').slice(1, 3)).toEqual([
      `  makima/fix-login is in the repository, but not merged: ${note}`,
      '  git -C /srv/shop merge makima/fix-login   takes it over',
    ]);
    feed.contract = { ...over, delivery: { ...delivery, baseMoved: true, note: 'main is at a1' } };
    const shown = await stage.run(['contracts', 'show', id]);
    expect(shown.stdout).toContain('makima/fix-login is merged: main is at a1');
  });

  it('ends with 5 when it failed, also if that was long ago', async () => {
    const feed = await open();
    feed.contract = { ...feed.contract, status: 'failed', failureReason: 'cancelled' };
    feed.add(...begin, sampleEvent(3, 'contract.failed', { data: { reason: 'cancelled' } }));
    const { code, stdout, stderr } = await stage.run(['watch', id]);
    expect([code, stderr]).toEqual([5, 'fix-login is failed: cancelled\n']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('ends with 8 when it waits for a person and none is here, saying how to answer', async () => {
    const feed = await open();
    feed.add(...begin);
    const watching = stage.start(['watch', id]);
    await watching.until('write-tests');
    feed.contract = { ...feed.contract, status: 'waiting_for_input', waitingFor: 'question' };
    feed.add(sampleEvent(3, 'question.asked', { data: { question: 'Which?' } }));
    const { code, stderr } = await watching.end;
    expect(code).toBe(8);
    expect(stderr).toContain(`makima answer ${sampleId('question', 1)} <answer>`);
  });

  it('says once what it stands still for, and what its end waits for', async () => {
    const feed = await open();
    const { why } = feed;
    feed.why = { ...why, moving: false, kind: 'no_daemon', reason: 'Nobody has the agent claude.' };
    feed.add(...begin);
    const watching = stage.start(['watch', id]);
    await watching.until('stands still');
    feed.why = { ...why, status: 'completing', reason: 'It can be rejected.' };
    await watching.until('completing: It can be rejected.');
    await feed.asked(3);
    feed.contract = { ...feed.contract, status: 'completed' };
    feed.add(sampleEvent(3, 'contract.completed'));
    const { stderr } = await watching.end;
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      '! stands still: Nobody has the agent claude.',
      '  makima daemon list',
      '- completing: It can be rejected.',
      'fix-login is completed',
    ]);
  });

  it('ends with 8 where no person is at the terminal and only one can move it', async () => {
    const feed = await open();
    feed.why = {
      status: 'active',
      moving: false,
      kind: 'no_daemon',
      reason: 'Nobody has the agent claude.',
    };
    feed.add(...begin);
    const { code, stderr } = await stage.run(['watch', id]);
    expect(code).toBe(8);
    expect(stderr).toContain('stands still: Nobody has the agent claude.');
    expect(stderr).toContain(`waits for a person, and none is at this terminal`);
  });

  it('ends with 3 when its time is over', async () => {
    const feed = await open();
    feed.add(...begin);
    const { code, stdout } = await stage.run(['watch', id, '--timeout', '1s', '-o', 'json']);
    expect(code).toBe(3);
    expect(stdout).toContain('"exitCode":3');
  });

  it.each(['question', 'guard', 'done'])('leaves a %s to the story', async (kind) => {
    const feed = await open();
    feed.why = { status: 'active', moving: false, kind, reason: 'Told already.' };
    feed.add(...begin);
    const watching = stage.start(['watch', id]);
    await feed.asked(1);
    feed.contract = { ...feed.contract, status: 'completed' };
    feed.add(sampleEvent(3, 'contract.completed'));
    expect((await watching.end).stderr).not.toContain('Told already.');
  });

  it('ends with 130 on Ctrl-C, and says how to come back', async () => {
    const feed = await open();
    feed.add(...begin);
    const watching = stage.start(['watch', id]);
    await watching.until('write-tests');
    watching.child.kill('SIGINT');
    const { code, stderr } = await watching.end;
    expect(code).toBe(130);
    expect(stderr).toContain(`makima watch ${id}`);
  });

  it('in JSON gives events and at the end the outcome, a line each', async () => {
    const feed = await open();
    feed.contract = { ...feed.contract, status: 'completed' };
    feed.add(...begin);
    const { code, stdout } = await stage.run(['watch', id, '-o', 'json']);
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines.slice(0, 2)).toEqual(begin);
    expect(lines[2]).toMatchObject({ contract: id, status: 'completed', exitCode: 0 });
  });
});

describe('events --follow', () => {
  it('loses and doubles nothing while connections die, and 130 ends it', async () => {
    let requests = 0;
    const feed = await open({
      intercept: (request, response) => {
        requests += 1;
        if (requests % 3 === 1) request.socket.destroy();
        else if (requests % 3 === 2) {
          response.writeHead(200, { 'content-length': 500 });
          response.write('{"items":[');
          setImmediate(() => request.socket.destroy());
        }
        return requests % 3 !== 0;
      },
    });
    const following = stage.start(['events', '--follow', '-o', 'json']);
    for (const n of [1, 2, 3, 4]) {
      feed.add(sampleEvent(n));
      await following.until(`"event-${n}"`);
    }
    following.child.kill('SIGINT');
    const { code, stdout, stderr } = await following.end;
    expect([code, stderr]).toEqual([130, '']);
    const seqs = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Event).seq);
    expect(seqs).toEqual([1, 2, 3, 4]);
  });

  it('waits for a server that is away, and says so once', async () => {
    const first = await open();
    first.add(sampleEvent(1, 'contract.ready'));
    const following = stage.start(['events', '--follow', '--contract', id]);
    await following.until('contract.ready');
    await first.server.close();
    await following.until('waiting for it');
    following.child.kill('SIGINT');
    expect((await following.end).code).toBe(130);
  });

  it('ends quietly when its reader is gone', async () => {
    const feed = await open();
    feed.add(...begin);
    const following = stage.start(['events', '--follow']);
    await following.until('write-tests');
    following.child.stdout?.destroy();
    for (let n = 3; n < 60; n += 1) feed.add(sampleEvent(n));
    const { code, stderr } = await following.end;
    expect([code, stderr]).toEqual([0, '']);
  });
});
