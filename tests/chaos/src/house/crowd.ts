// Many sockets of daemons with nothing to do: they say hello and beat, and come back when their connection ends, as
// a daemon does.
// Why: what a gateway's end does to a thousand machines is not shown by three.
// Law: the wait before a return is the daemon's own; whoever is welcomed again is counted once.
import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import type { Client } from '@makima/client/client';
import { socketProtocol } from '@makima/contracts/socket/frames';
import { retryAfterMs, retryDelayMs } from '@makima/daemon/link/retry-delay';
import { pause } from '../pause.ts';

export interface Crowd {
  readonly size: number;
  /** Of them, those that are welcomed now. */
  readonly here: number;
  /** Connections that were welcomed and ended, since the beginning. */
  readonly ended: number;
  /** Resolves when all are here; false after `withinMs`. */
  all(withinMs: number): Promise<boolean>;
  close(): void;
}

/** So many enrol at once. */
const side = 10;
const beatMs = 10_000;

/** `addressFor` says where the next connection of one of them goes. */
export async function gather(
  client: Client,
  size: number,
  addressFor: (index: number) => string,
): Promise<Crowd> {
  const over = new AbortController();
  const members = new Set<number>();
  let ended = 0;
  const told = (index: number, isHere: boolean): void => {
    if (isHere) members.add(index);
    else if (members.delete(index)) ended += 1;
  };
  const keys: string[] = [];
  const enrol = async (): Promise<void> => {
    while (keys.length < size) {
      const index = keys.push('') - 1;
      keys[index] = await enrolled(client, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(side, size) }, enrol));
  keys.forEach((key, index) => {
    const member = { key, over: over.signal, address: () => addressFor(index) };
    void stay(member, (isHere) => told(index, isHere));
  });
  return {
    size,
    get here() {
      return members.size;
    },
    get ended() {
      return ended;
    },
    async all(withinMs) {
      const limit = performance.now() + withinMs;
      while (members.size < size && performance.now() < limit) await pause(20);
      return members.size >= size;
    },
    close: () => over.abort(),
  };
}

async function enrolled(client: Client, index: number): Promise<string> {
  const { token } = await client.call('createEnrolment', { body: {} });
  const body = { token, name: `crowd-${index}`, host: 'crowd' };
  return (await client.call('enrolDaemon', { body })).key;
}

interface Member {
  readonly key: string;
  readonly over: AbortSignal;
  readonly address: () => string;
}

async function stay(member: Member, told: (isHere: boolean) => void): Promise<void> {
  const identity = { bootId: randomUUID(), journalId: randomUUID() };
  for (let failures = 0; !member.over.aborted;) {
    const { wasHere, hintMs } = await connection(member, identity, () => told(true));
    told(false);
    failures = wasHere ? 1 : failures + 1;
    await pause(retryDelayMs({ failures, hintMs }, Math.random()), member.over);
  }
}

interface Ended {
  readonly wasHere: boolean;
  readonly hintMs: number | null;
}

function connection(
  { key, over, address }: Member,
  identity: { readonly bootId: string; readonly journalId: string },
  welcomed: () => void,
): Promise<Ended> {
  const socket = new WebSocket(address(), {
    headers: { authorization: `Bearer ${key}` },
    perMessageDeflate: false,
  });
  let [wasHere, beat] = [false, 0];
  let hintMs: number | null = null;
  const send = (frame: unknown): void => socket.send(JSON.stringify(frame));
  const beats = setInterval(() => {
    if (wasHere && socket.readyState === WebSocket.OPEN)
      send({ type: 'heartbeat', beat: beat++, running: [], freeDiskBytes: null });
  }, beatMs);
  const leave = (): void => socket.terminate();
  over.addEventListener('abort', leave, { once: true });
  socket.on('open', () => send(helloOf(identity)));
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString('utf8')) as { type: string; afterMs?: number };
    if (frame.type === 'goaway') hintMs = frame.afterMs ?? null;
    if (frame.type !== 'welcome') return;
    wasHere = true;
    welcomed();
  });
  socket.on('error', () => {});
  return new Promise((resolve) => {
    const ended = (): void => {
      clearInterval(beats);
      over.removeEventListener('abort', leave);
      resolve({ wasHere, hintMs });
    };
    socket.on('unexpected-response', (_request, response) => {
      hintMs = retryAfterMs(response.headers['retry-after']);
      socket.terminate();
      ended();
    });
    socket.on('close', ended);
  });
}

/** It has no agent: nothing is ever given to it. */
function helloOf(identity: { readonly bootId: string; readonly journalId: string }): unknown {
  return {
    type: 'hello',
    protocol: socketProtocol,
    ...identity,
    lastCommandSeq: 0,
    version: 'chaos',
    host: 'crowd',
    maxConcurrentTasks: 1,
    agents: [],
    running: [],
  };
}
