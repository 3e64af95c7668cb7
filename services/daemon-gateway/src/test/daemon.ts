/**
 * A daemon as far as a gateway can tell: a real socket that speaks the protocol, remembers every frame, and
 * can be as rude as a test wants.
 *
 * Law: it checks what it is sent by the wire contract; whoever waits for a frame gets it or a reason.
 */
import { WebSocket } from 'ws';
import {
  zServerFrame,
  type DaemonFrame,
  type Hello,
  type ServerFrame,
  type ServerFrameOf,
} from '@makima/contracts/socket/frames';
import { testHello, type Machine } from '@makima/engine/test/house';
import { onEnd } from './kit.ts';

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export interface TestDaemon {
  readonly frames: readonly ServerFrame[];
  readonly socket: WebSocket;
  /** Commands in the order in which they came. */
  readonly commands: readonly number[];
  send(frame: DaemonFrame): void;
  raw(data: string | Buffer, options?: { readonly binary: boolean }): void;
  /** Resolves with the first frame (also an earlier one) that fits; rejects when the socket closes first. */
  frame<T extends ServerFrame['type']>(
    type: T,
    fits?: (frame: ServerFrameOf<T>) => boolean,
  ): Promise<ServerFrameOf<T>>;
  readonly closed: Promise<Closed>;
  close(): void;
}

export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
}

/** Connects, without a hello. */
export async function openSocket(
  url: string,
  key: string | null,
  options: ConnectOptions = {},
): Promise<TestDaemon> {
  const authorization = key === null ? {} : { authorization: `Bearer ${key}` };
  const socket = new WebSocket(url, {
    headers: { ...authorization, ...options.headers },
    perMessageDeflate: false,
    maxPayload: 16 * 1_048_576,
  });
  onEnd(() => socket.terminate());
  const daemon = daemonOn(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      socket.terminate();
      reject(new Refused(response.statusCode ?? 0, response.headers['retry-after']));
    });
    socket.once('error', reject);
  });
  return daemon;
}

/** The upgrade was answered with plain HTTP. */
export class Refused extends Error {
  readonly status: number;
  readonly retryAfter: string | undefined;

  constructor(status: number, retryAfter: string | undefined) {
    super(`refused with ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The status of a refused upgrade, 101 when it was not refused. */
export async function upgradeStatus(
  url: string,
  key: string | null,
  options: ConnectOptions = {},
): Promise<number> {
  try {
    const daemon = await openSocket(url, key, options);
    daemon.close();
    return 101;
  } catch (error) {
    if (error instanceof Refused) return error.status;
    throw error;
  }
}

/** Connects, says hello and waits for the welcome. */
export async function connect(
  url: string,
  machine: Machine,
  hello: Partial<Hello> = {},
): Promise<TestDaemon & { readonly welcome: ServerFrameOf<'welcome'> }> {
  const daemon = await openSocket(url, machine.key);
  daemon.send(testHello({ journalId: machine.journalId, ...hello }));
  return Object.assign(daemon, { welcome: await daemon.frame('welcome') });
}

function daemonOn(socket: WebSocket): TestDaemon {
  const frames: ServerFrame[] = [];
  const commands: number[] = [];
  const lookers = new Set<() => void>();
  const closed = Promise.withResolvers<Closed>();
  let over: Closed | undefined;
  socket.on('message', (data: Buffer) => {
    const frame = zServerFrame.parse(JSON.parse(data.toString()));
    frames.push(frame);
    if (frame.type === 'commands') commands.push(...frame.commands.map((one) => one.seq));
    for (const look of lookers) look();
  });
  socket.on('close', (code, reason) => {
    over = { code, reason: reason.toString() };
    closed.resolve(over);
    for (const look of lookers) look();
  });
  socket.on('error', () => undefined);

  return {
    frames,
    commands,
    socket,
    closed: closed.promise,
    send: (frame) => socket.send(JSON.stringify(frame)),
    raw: (data, options = { binary: false }) => socket.send(data, options),
    frame<T extends ServerFrame['type']>(
      type: T,
      fits: (frame: ServerFrameOf<T>) => boolean = () => true,
    ) {
      return new Promise<ServerFrameOf<T>>((resolve, reject) => {
        const look = (): void => {
          const found = frames.find(
            (frame): frame is ServerFrameOf<T> =>
              frame.type === type && fits(frame as ServerFrameOf<T>),
          );
          if (found === undefined && over === undefined) return;
          lookers.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`closed with ${over?.code} ${over?.reason} before ${type}`));
        };
        lookers.add(look);
        look();
      });
    },
    close: () => socket.close(1_000),
  };
}
