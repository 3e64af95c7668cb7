/**
 * One socket of one daemon, from its first byte to its last: hello within its time, then reports in order,
 * beats, acks and asks beside them, commands the other way.
 *
 * Law: what a daemon sends ends at most its own socket. Whatever is under way when the socket ends is
 * finished or dropped; it was not acked, so it comes again.
 */
import type { RawData, WebSocket } from 'ws';
import { socketProtocol, type Hello, type TakenFrame } from '@makima/contracts/socket/frames';
import type { DaemonPrincipal } from '@makima/engine/principal';
import type { Log } from '@makima/runtime/log';
import { closeFor, closes, closeLabel, type Close } from './close.ts';
import { parseFrame } from './frame.ts';
import type { Gateway } from './context.ts';
import type { Held } from './held.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { sayGone } from './say-gone.ts';
import { openTalk, type Talk } from './talk.ts';
import { whyFenced } from './why-fenced.ts';

const missesMax = 2;
/** Time for the closing handshake. */
const lingerMs = 2_000;

export class Connection implements Held {
  readonly daemon: DaemonPrincipal;
  readonly over: Promise<void>;
  readonly #gateway: Gateway;
  readonly #socket: WebSocket;
  readonly #log: Log;
  readonly #outbound: Outbound;
  readonly #aborted = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  readonly #helloTimer: NodeJS.Timeout;
  #hello: Hello | undefined;
  #talk: Talk | undefined;
  #greeting: Promise<void> = Promise.resolve();
  #ended: Close | undefined;
  #misses = 0;
  #paused = false;

  constructor(gateway: Gateway, socket: WebSocket, daemon: DaemonPrincipal) {
    this.daemon = daemon;
    this.over = this.#finished.promise;
    this.#gateway = gateway;
    this.#socket = socket;
    this.#log = gateway.log.child({ daemonId: daemon.daemonId });
    const { backlogBytes, capBytes, helloMs } = gateway.timings;
    const onOverflow = (): void => this.end(closes.slow);
    this.#outbound = createOutbound({ socket, backlogBytes, capBytes, onOverflow });
    this.#helloTimer = setTimeout(() => this.end(closes.silent), helloMs);
    gateway.registry.add(this);
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('pong', () => (this.#misses = 0));
    socket.on('error', (error) => this.#log.debug({ err: error }, 'socket error'));
    socket.on('close', (code) => void this.#onClose(code));
  }

  get bootId(): string | undefined {
    return this.#hello?.bootId;
  }

  get talk(): Talk | undefined {
    return this.#ended === undefined ? this.#talk : undefined;
  }

  get bufferedBytes(): number {
    return this.#outbound.bufferedBytes;
  }

  ping(): void {
    if (this.#paused || this.#ended !== undefined) return;
    if (this.#misses >= missesMax) return this.#socket.terminate();
    this.#misses += 1;
    this.#socket.ping();
  }

  goAway(afterMs: number): void {
    if (this.talk !== undefined) this.#outbound.send({ type: 'goaway', afterMs });
  }

  end(close: Close): void {
    if (this.#ended !== undefined) return;
    this.#ended = close;
    this.#aborted.abort();
    this.#socket.resume();
    this.#socket.close(close.code, close.reason);
    setTimeout(() => this.#socket.terminate(), lingerMs).unref();
  }

  #fail(error: unknown): void {
    if (this.#ended !== undefined) return;
    const close = closeFor(error);
    if (close === 'fenced') {
      this.#gateway.metrics.fenced.inc();
      const epoch = this.#talk?.sessionEpoch ?? 0;
      void whyFenced(this.#gateway.engine, this.daemon, epoch).then((why) => this.end(why));
      return;
    }
    if (close === closes.broken) this.#log.error({ err: error }, 'a frame could not be handled');
    this.end(close);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#misses = 0;
    if (this.#ended !== undefined) return;
    const text = isBinary || !Buffer.isBuffer(data) ? undefined : data.toString();
    const frame = text === undefined ? null : parseFrame(text);
    this.#gateway.metrics.frames.inc({ type: frame?.type ?? 'malformed' });
    if (frame === null) this.end(closes.malformed);
    else if (this.#talk === undefined) this.#onFirst(frame);
    else this.#talk.take(frame, text?.length ?? 0);
  }

  /** Nothing but one hello may come before the welcome. */
  #onFirst(frame: TakenFrame): void {
    if (frame.type !== 'hello' || this.#hello !== undefined) return this.end(closes.disorder);
    if (frame.protocol !== socketProtocol) return this.end(closes.version);
    const { registry } = this.#gateway;
    const { daemonId } = this.daemon;
    this.#hello = frame;
    clearTimeout(this.#helloTimer);
    if (registry.admits(daemonId, frame.bootId)) {
      this.#greeting = this.#greet(frame);
      return;
    }
    this.#log.warn('two daemons use one key, both are sent away');
    registry.of(daemonId)?.end(closes.twins);
    this.end(closes.twins);
  }

  async #greet(hello: Hello): Promise<void> {
    const gateway = this.#gateway;
    try {
      this.#talk = await openTalk({
        gateway,
        daemon: this.daemon,
        hello,
        log: this.#log,
        patience: { signal: this.#aborted.signal, limitMs: gateway.timings.patienceMs },
        outbound: this.#outbound,
        woken: () => gateway.look(this),
        end: (close) => this.end(close),
        fail: (error) => this.#fail(error),
        pauseReading: (full) => this.#pauseReading(full),
      });
      if (this.#ended !== undefined) return;
      gateway.registry.claim(this)?.end(closes.replaced);
      this.#talk.begin();
      const { sessionEpoch } = this.#talk;
      this.#log.info({ sessionEpoch, bootId: hello.bootId }, 'daemon connected');
    } catch (error) {
      this.#fail(error);
    }
  }

  #pauseReading(full: boolean): void {
    this.#paused = full;
    if (full && this.#ended === undefined) this.#socket.pause();
    else this.#socket.resume();
  }

  async #onClose(code: number): Promise<void> {
    clearTimeout(this.#helloTimer);
    const close = (this.#ended ??= { code, reason: 'closed by the daemon' });
    this.#aborted.abort();
    this.#gateway.registry.remove(this);
    this.#gateway.metrics.closes.inc({ code: closeLabel(close) });
    this.#log.info({ code: close.code, reason: close.reason }, 'daemon disconnected');
    await this.#greeting;
    await this.#talk?.stop();
    await sayGone(this.#gateway, this.daemon, this.#talk?.sessionEpoch, close);
    this.#finished.resolve();
  }
}
