/**
 * What travels with one request: its id, its log, who sent it.
 *
 * Law: nothing that a peer claims about itself is believed here but its socket.
 */
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Principal } from '@makima/engine/principal';
import type { Log } from '@makima/runtime/log';

/** Who sent a request. The token is kept for streams that look again whether it is still good. */
export interface Session {
  readonly principal: Principal;
  readonly token: string;
}

export interface ApiEnv {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    log: Log;
    /** Absent on public routes. */
    session?: Session;
  };
}

export type ApiCtx = Context<ApiEnv>;

/** The address of the peer that holds the socket. Forwarding headers are not believed. */
export function remoteAddress(c: ApiCtx): string {
  return addressOf(c.env.incoming);
}

export function addressOf(incoming: IncomingMessage): string {
  return incoming.socket.remoteAddress ?? 'unknown';
}
