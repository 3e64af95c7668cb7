/**
 * What a connection does after its hello: it listens for hints, tells the store that the daemon is here,
 * welcomes it, and hands each frame to the part that knows it.
 *
 * Law: subscribe first, read second; what is not understood at this moment ends the socket.
 */
import { answerAsks } from '@makima/bus/ask';
import { channels } from '@makima/contracts/channels';
import type { Hello, TakenFrame } from '@makima/contracts/socket/frames';
import { connectDaemon, type Welcome } from '@makima/engine/daemon/connect';
import type { DaemonPrincipal } from '@makima/engine/principal';
import type { Log } from '@makima/runtime/log';
import { asksToDaemon, type AsksToDaemon } from './ask-daemon.ts';
import { answerDaemon } from './asks.ts';
import { takeBeats } from './beats.ts';
import { closes, type Close } from './close.ts';
import { createDelivery } from './deliver.ts';
import type { Gateway } from './context.ts';
import type { HeldTalk } from './held.ts';
import { inOrder } from './in-order.ts';
import type { Line } from './line.ts';
import type { Outbound } from './outbound.ts';
import { patiently, type Patience } from './patience.ts';
import { takeReports, type ReportsFrame } from './reports.ts';

export interface Talk extends HeldTalk {
  /** Welcome the daemon and deliver what waits for it. */
  begin(): void;
  take(frame: TakenFrame, bytes: number): void;
  /** Resolves when nothing of it is under way. */
  stop(): Promise<void>;
}

export interface TalkOptions {
  readonly gateway: Gateway;
  readonly daemon: DaemonPrincipal;
  readonly hello: Hello;
  readonly log: Log;
  readonly patience: Patience;
  readonly outbound: Outbound;
  /** A hint came for this daemon. */
  readonly woken: () => void;
  readonly end: (close: Close) => void;
  readonly fail: (error: unknown) => void;
  readonly pauseReading: (full: boolean) => void;
}

/** Throws what the store says no with. */
export async function openTalk(options: TalkOptions): Promise<Talk> {
  const { gateway, daemon, hello, outbound, patience } = options;
  const { engine, gatewayId, pubsub } = gateway;
  const { daemonId } = daemon;
  const asking = asksToDaemon((frame) => outbound.send(frame));
  let talk: Talk | undefined;
  const onWake = (): void => {
    talk?.poke();
    options.woken();
  };
  const listening = Promise.all([
    pubsub.subscribe(channels.daemonWake(daemonId), onWake),
    answerAsks(gateway, { daemonId, answer: (ask) => asking.ask(ask) }),
  ]);
  const leave = async (): Promise<void> => {
    for (const off of await listening) off();
    asking.drop();
  };
  try {
    const [welcome] = await Promise.all([
      patiently(patience, () => connectDaemon(engine, daemon, hello, { gatewayId })),
      listening,
    ]);
    talk = buildTalk(options, { welcome, asking, leave });
    return talk;
  } catch (error) {
    await leave();
    throw error;
  }
}

interface Opened {
  readonly welcome: Welcome;
  readonly asking: AsksToDaemon;
  readonly leave: () => Promise<void>;
}

function buildTalk(options: TalkOptions, { welcome, asking, leave }: Opened): Talk {
  const { timings } = options.gateway;
  const { sessionEpoch, reportAck, serverTime } = welcome;
  const line = lineOf(options, sessionEpoch);
  const delivery = createDelivery(line, options.hello.lastCommandSeq);
  const beats = takeBeats(line);
  const asks = answerDaemon(line);
  const reports = inOrder<ReportsFrame>({
    handle: (frame) => takeReports(line, frame),
    maxItems: timings.queuedFrames,
    maxBytes: timings.queuedBytes,
    onFull: () => options.pauseReading(true),
    onRoom: () => options.pauseReading(false),
  });
  return {
    sessionEpoch,
    get sentSeq() {
      return delivery.sentSeq;
    },
    begin() {
      const { daemonId } = options.daemon;
      const [keep, fenced] = [[...welcome.keep], [...welcome.fenced]];
      line.send({ type: 'welcome', daemonId, sessionEpoch, reportAck, keep, fenced, serverTime });
      delivery.poke();
    },
    take(frame, bytes) {
      switch (frame.type) {
        case 'hello':
          return options.end(closes.disorder);
        case 'reports':
          return reports.push(frame, bytes);
        case 'ack':
          return delivery.acked(frame.commandSeq);
        case 'heartbeat':
          return beats.push(frame);
        case 'ask':
          return asks.push(frame.askId, frame.ask);
        case 'answer':
          return asking.answered(frame);
      }
    },
    poke: () => delivery.poke(),
    tick: (nowMs) => delivery.tick(nowMs),
    async stop() {
      await leave();
      await Promise.all([reports.stop(), beats.idle(), asks.idle(), delivery.idle()]);
    },
  };
}

function lineOf(options: TalkOptions, sessionEpoch: number): Line {
  const { gateway, outbound } = options;
  return {
    engine: gateway.engine,
    daemon: options.daemon,
    sessionEpoch,
    log: options.log,
    metrics: gateway.metrics,
    patience: options.patience,
    send: (frame) => outbound.send(frame),
    get backlogged() {
      return outbound.backlogged;
    },
    written: () => outbound.written(),
    end: options.end,
    fail: options.fail,
  };
}
