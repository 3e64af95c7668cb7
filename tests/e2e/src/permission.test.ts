// An agent that must ask, an address that is told, a person who answers by the command line: the whole way.
// Why: a prompt that nobody sees is an agent that stands still, and a yes that goes astray is worse.
// Law: the receiver is a real server, verified with the official library; nothing is waited for by time.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { document, spawn, startContract, taskNamed } from './contract.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { eventually } from './patience.ts';

let house: House;
const told: { headers: IncomingHttpHeaders; body: string }[] = [];
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    told.push({ headers: request.headers, body });
    // The first of all is not taken, so that it comes again.
    response.writeHead(told.length === 1 ? 503 : 204).end();
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  house = await openHouse({
    env: {
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
      MAKIMA_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
    },
  });
});
afterAll(async () => {
  await house.close();
  receiver.close();
});

interface Told {
  readonly type: string;
  readonly data: { readonly data: { readonly questionId?: string; readonly tool?: string } };
}

describe('an agent that must ask', () => {
  inOrder(() => house);

  it('is seen, told of, allowed and refused, and does accordingly', async () => {
    const { client } = house;
    const { port } = receiver.address() as AddressInfo;
    const { webhook, secret } = await client.call('createWebhook', {
      body: { url: `http://127.0.0.1:${port}/hook`, eventTypes: ['question.asked'] },
    });
    const asking = await startContract(
      house,
      [
        spawn(
          'careful',
          [
            { run: ['sh', '-c', 'echo yes > allowed.txt'], as: 'first' },
            { run: ['sh', '-c', 'echo no > refused.txt'], as: 'second' },
            { say: 'I was told: ${second.denied}' },
            { run: ['sh', '-c', 'ls'], as: 'third' },
            { done: '${third.output}' },
          ],
          { extra: { permissionMode: 'ask' } },
        ),
        { wait: ['${careful}'] },
        ...document('plan-document', 'PLAN.md'),
        { advance: 'execute' },
        { deliverable: { id: 'implementation', evidence: [{ file: 'PLAN.md' }] } },
      ],
      { name: 'careful-work' },
    );
    const careful = await taskNamed(asking, 'careful');
    const asked = async (n: number): Promise<string> => {
      const events = await asking.story.untilMany('question.asked', n);
      return String(events[n - 1]?.data['questionId']);
    };

    const first = await asked(1);
    const { items } = await client.call('inbox');
    expect(items).toMatchObject([
      {
        kind: 'permission',
        contractSlug: 'careful-work',
        question: {
          id: first,
          askedBy: 'careful',
          taskId: careful,
          tool: { name: 'run', input: { args: ['sh', '-c', 'echo yes > allowed.txt'] } },
        },
      },
    ]);
    await client.call('answerQuestion', { params: { id: first }, body: { response: 'Allow' } });
    const second = await asked(2);
    await client.call('answerQuestion', {
      params: { id: second },
      body: { response: 'deny: not that file' },
    });
    const third = await asked(3);
    await client.call('answerQuestion', { params: { id: third }, body: { response: 'yes' } });
    expect(await asking.story.end()).toBe('completed');
    const task = await client.call('getTask', { params: { id: careful } });
    expect(task.permissionMode).toBe('ask');
    expect(task.outputSummary).toContain('allowed.txt');
    expect(task.outputSummary).not.toContain('refused.txt');
    const { items: lines } = await client.call('listTaskOutput', {
      params: { id: careful },
    });
    expect(lines.map((line) => line.content)).toContain('I was told: not that file');

    // Each question was told of once under its id; the one that was not taken came again under the same.
    const log = await eventually(
      () => client.call('listDeliveries', { params: { id: webhook.id }, query: {} }),
      (page) => page.items.length === 3 && page.items.every(({ state }) => state === 'delivered'),
      { what: 'all three are delivered' },
    );
    const verified = told.map(
      ({ headers, body }) =>
        new Webhook(secret ?? '').verify(body, headers as Record<string, string>) as Told,
    );
    expect(new Set(verified.map((one) => one.data.data.questionId))).toEqual(
      new Set([first, second, third]),
    );
    expect(
      verified.every((one) => one.type === 'question.asked' && one.data.data.tool === 'run'),
    ).toBe(true);
    expect(told).toHaveLength(4);
    expect(new Set(told.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set(log.items.map(({ messageId }) => messageId)),
    );
    asking.story.close();
  });

  it('leaves nothing lost, doubled or broken', () => expectInvariants(house));
});
