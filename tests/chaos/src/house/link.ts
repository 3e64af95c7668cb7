// A TCP link of our own between a process and a store or a door: it can be cut, reset, slow, dead or half dead.
// Why: the machine has no packet filter that a test may use; what TCP shows its users is shown from here.
// Law: loopback only. Bytes are held or a connection ends; none is lost in the middle of one that goes on.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface LinkCounts {
  /** Connections that were opened through it. */
  readonly opened: number;
  /** Of those, ended by a fault. */
  readonly broken: number;
  /** Pieces that a fault held or delayed. */
  readonly held: number;
}

export type Direction = 'there' | 'back' | 'both';

export interface Link {
  readonly port: number;
  readonly counts: LinkCounts;
  /** Sockets that are open: two for each connection, one where the other half of a dead one is gone. */
  readonly halves: number;
  /** Where it leads. */
  lead(host: string, port: number): void;
  /** Ends every connection; `reset` as a router does that forgot them. Says how many. */
  cut(how: 'end' | 'reset'): number;
  /** Nothing passes until `heal`: on all connections and on new ones. */
  block(direction: Direction): void;
  /** Nothing passes any more on the connections that are open, for ever; new ones are fine. Says how many. */
  halfOpen(): number;
  delay(ms: number): void;
  /** What asks with these bytes gets no answer: it was carried out, and the connection ends. `times` times. */
  loseAnswers(asking: string, times: number): void;
  heal(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  dead: boolean;
  awaitsLoss: boolean;
}

interface Core {
  readonly pairs: Set<Pair>;
  /** Every socket that is not closed: half of a dead pair stays when the other half is gone. */
  readonly sockets: Set<Socket>;
  readonly counts: { opened: number; broken: number; held: number };
  target: { host: string; port: number } | null;
  blocked: Direction | null;
  delayMs: number;
  losing: { asking: Buffer; left: number } | null;
}

export async function openLink(): Promise<Link> {
  const core: Core = {
    pairs: new Set(),
    sockets: new Set(),
    counts: { opened: 0, broken: 0, held: 0 },
    target: null,
    blocked: null,
    delayMs: 0,
    losing: null,
  };
  const server = createServer((near) => accept(core, near));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    counts: core.counts,
    get halves() {
      return core.sockets.size;
    },
    lead: (host, port) => void (core.target = { host, port }),
    cut: (how) => cut(core, how),
    block(direction) {
      core.blocked = direction;
      for (const pair of core.pairs) holdWhatIsBlocked(core, pair);
    },
    halfOpen() {
      let count = 0;
      for (const pair of core.pairs) {
        if (pair.dead) continue;
        pair.dead = true;
        pair.near.pause();
        pair.far.pause();
        count += 1;
      }
      core.counts.broken += count;
      return count;
    },
    delay: (ms) => void (core.delayMs = ms),
    loseAnswers: (asking, times) =>
      void (core.losing = { asking: Buffer.from(asking), left: times }),
    heal: () => heal(core),
    close: () => close(core, server),
  };
}

function accept(core: Core, near: Socket): void {
  if (core.target === null) return void near.destroy();
  const far = connect(core.target.port, core.target.host);
  const pair: Pair = { near, far, dead: false, awaitsLoss: false };
  core.pairs.add(pair);
  core.counts.opened += 1;
  pass(core, pair, near, far);
  pass(core, pair, far, near);
  holdWhatIsBlocked(core, pair);
}

function pass(core: Core, pair: Pair, from: Socket, to: Socket): void {
  let late: Promise<void> = Promise.resolve();
  core.sockets.add(from);
  from.on('data', (bytes: Buffer) => {
    if (core.losing !== null && losesAnswer(core, pair, from, bytes)) return;
    if (core.delayMs === 0) {
      void late.then(() => to.write(bytes));
      return;
    }
    core.counts.held += 1;
    const until = performance.now() + core.delayMs;
    late = late.then(() => sleep(until - performance.now())).then(() => void to.write(bytes));
  });
  from.on('error', () => {});
  from.on('close', () => {
    core.sockets.delete(from);
    core.pairs.delete(pair);
    // The other end of a dead connection learns nothing of it.
    if (!pair.dead) void late.then(() => to.destroy());
    else if (from === pair.near) pair.far.unref();
  });
}

/** True when these bytes go nowhere: they are the answer to what was asked. */
function losesAnswer(core: Core, pair: Pair, from: Socket, bytes: Buffer): boolean {
  const { losing } = core;
  if (losing === null) return false;
  if (from === pair.near) {
    if (losing.left > 0 && bytes.includes(losing.asking)) {
      losing.left -= 1;
      pair.awaitsLoss = true;
    }
    return false;
  }
  if (!pair.awaitsLoss) return false;
  core.counts.broken += 1;
  pair.near.resetAndDestroy();
  pair.far.destroy();
  return true;
}

function holdWhatIsBlocked({ blocked, counts }: Core, { near, far }: Pair): void {
  if (blocked === 'there' || blocked === 'both') near.pause();
  if (blocked === 'back' || blocked === 'both') far.pause();
  if (blocked !== null) counts.held += 1;
}

function cut({ pairs, counts }: Core, how: 'end' | 'reset'): number {
  const cutHere = [...pairs];
  for (const { near, far } of cutHere) {
    for (const socket of [near, far]) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
  }
  counts.broken += cutHere.length;
  return cutHere.length;
}

function heal(core: Core): void {
  core.blocked = null;
  core.delayMs = 0;
  core.losing = null;
  for (const pair of core.pairs) {
    if (pair.dead) continue;
    pair.near.resume();
    pair.far.resume();
  }
}

async function close(core: Core, server: Server): Promise<void> {
  for (const socket of core.sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
