/** Messages to an agent: in order, once, and kept until it reads them. */
import { describe, expect, it } from 'vitest';
import type { AgentMessage } from '@makima/contracts/socket/commands';
import { createMailbox, type ReceiptState } from './mailbox.ts';

const message = (id: string): AgentMessage => ({ id, text: id, mode: 'steer' });

describe('a mailbox', () => {
  const make = () => {
    const told: [string, ReceiptState][] = [];
    const mailbox = createMailbox({ report: (id, state) => told.push([id, state]) });
    return { mailbox, told };
  };

  it('hands messages over in order, each once, when the agent is there', async () => {
    const { mailbox, told } = make();
    const handed: string[] = [];
    mailbox.post(message('a'));
    mailbox.post(message('b'));
    mailbox.post(message('a'));
    expect(mailbox.waiting).toBe(2);
    const all = Promise.withResolvers<void>();
    mailbox.open(async ({ id }) => {
      handed.push(id);
      mailbox.receipt(id, 'queued');
      if (id === 'c') all.resolve();
    });
    mailbox.post(message('c'));
    await all.promise;
    expect(handed).toEqual(['a', 'b', 'c']);
    expect(mailbox.waiting).toBe(3);
    for (const id of handed) mailbox.receipt(id, 'delivered');
    expect(mailbox.waiting).toBe(0);
    expect(told.filter(([id]) => id === 'a').map(([, state]) => state)).toEqual([
      'queued',
      'delivered',
    ]);
  });

  it('answers a message that comes again with what is known of it', () => {
    const { mailbox, told } = make();
    mailbox.open(() => Promise.resolve());
    mailbox.post(message('a'));
    mailbox.receipt('a', 'done');
    mailbox.receipt('a', 'queued');
    mailbox.post(message('a'));
    expect(told).toEqual([
      ['a', 'done'],
      ['a', 'done'],
    ]);
  });

  it('tries again when an agent does not take a message, then refuses it', async () => {
    const { mailbox, told } = make();
    let tries = 0;
    const refused = Promise.withResolvers<void>();
    mailbox.open(({ id }) => {
      if (id === 'b') refused.resolve();
      if (id === 'a') tries += 1;
      return id === 'a' ? Promise.reject(new Error('busy')) : Promise.resolve();
    });
    mailbox.post(message('a'));
    mailbox.post(message('b'));
    await refused.promise;
    expect(tries).toBe(3);
    expect(told).toEqual([['a', 'refused']]);
  });

  it('says nothing of what was not read before its end', () => {
    const { mailbox, told } = make();
    mailbox.post(message('a'));
    mailbox.close();
    mailbox.post(message('b'));
    mailbox.receipt('stranger', 'done');
    expect(told).toEqual([]);
  });

  it('gives its first message away as a prompt', () => {
    const { mailbox, told } = make();
    mailbox.post(message('a'));
    expect(mailbox.takeFirst()?.id).toBe('a');
    expect(mailbox.takeFirst()).toBeNull();
    mailbox.receipt('a', 'delivered');
    expect(told).toEqual([['a', 'delivered']]);
  });
});
