/**
 * Who sends a request: exactly one header `Authorization: Bearer <token>`, looked up once and remembered
 * for a while by the token's hash.
 *
 * Law: no token in a URL, no other scheme, one body for every 401. A revocation empties the memory at once
 * by hint; while hints cannot come the memory is 2 s long. Tokens are kept by no one but the request.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { channels } from '@makima/contracts/channels';
import { MakimaError } from '@makima/domain/error';
import type { PubSub } from '@makima/bus/pubsub';
import type { Principal } from '@makima/engine/principal';
import { addressOf, type ApiCtx, type ApiEnv, type Session } from './request.ts';
import type { FailedAuth } from './failed-auth.ts';

export interface Authenticator {
  /** The session of a request. Throws UNAUTHENTICATED, or RATE_LIMITED after too many failures. */
  session(c: ApiCtx): Promise<Session>;
  /** The same for a request that no route has, such as an upgrade. */
  sessionOf(incoming: IncomingMessage): Promise<Session>;
  /** Whose token it is; null when nobody's. May answer from memory. */
  check(token: string): Promise<Principal | null>;
  /** Called when a key was revoked, here or elsewhere, or may have been. Returns how to stop that. */
  onRevoked(listener: () => void): () => void;
  /** A key was revoked by this process: forget everything, also when the hint is lost. */
  forget(): void;
  /** Listen for revocations. */
  start(): Promise<void>;
  stop(): void;
}

export interface AuthOptions {
  readonly lookUp: (token: string) => Promise<Principal | null>;
  readonly pubsub: PubSub;
  /** Whether hints arrive now. */
  readonly hintsArrive: () => boolean;
  readonly failures: FailedAuth;
}

interface Remembered {
  readonly principal: Principal;
  readonly untilMs: number;
}

const rememberedMost = 10_000;

/** How long a token stays known: agents change attempts often, and then their old key must die soon. */
const rememberMs = {
  person: 60_000,
  daemon: 60_000,
  agent: 5_000,
  system: 0,
  withoutHints: 2_000,
} as const;

export function createAuthenticator(options: AuthOptions): Authenticator {
  const memory = new Map<string, Remembered>();
  const listeners = new Set<() => void>();
  let stopListening: (() => void) | undefined;
  let generation = 0;

  const forget = (): void => {
    generation += 1;
    memory.clear();
    for (const listener of listeners) listener();
  };
  const remember = (hash: string, principal: Principal): void => {
    const ms = options.hintsArrive() ? rememberMs[principal.kind] : rememberMs.withoutHints;
    if (memory.size >= rememberedMost) memory.clear();
    memory.set(hash, {
      principal,
      untilMs: performance.now() + Math.min(ms, rememberMs[principal.kind]),
    });
  };
  const check = async (token: string): Promise<Principal | null> => {
    const hash = createHash('sha256').update(token).digest('base64');
    const known = memory.get(hash);
    if (known !== undefined && known.untilMs > performance.now()) return known.principal;
    memory.delete(hash);
    const asOf = generation;
    const principal = await options.lookUp(token);
    // A revocation that came meanwhile may be newer than what was read.
    if (principal !== null && asOf === generation) remember(hash, principal);
    return principal;
  };

  const sessionOfRequest = async (incoming: IncomingMessage): Promise<Session> => {
    const token = bearer(incoming);
    if (token === undefined) throw unauthenticated();
    const principal = await check(token);
    if (principal !== null) return { principal, token };
    const address = addressOf(incoming);
    options.failures.count(address);
    throw options.failures.refusal(address) ?? unauthenticated();
  };

  return {
    check,
    session: (c) => sessionOfRequest(c.env.incoming),
    sessionOf: sessionOfRequest,
    onRevoked(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    forget,
    async start() {
      stopListening ??= await options.pubsub.subscribe(channels.keyRevoked(), forget);
    },
    stop() {
      stopListening?.();
      stopListening = undefined;
    },
  };
}

/** Puts the session on the request, or refuses it. `isPublic` names the few routes that need none. */
export function requireSession(
  auth: Authenticator,
  isPublic: (c: ApiCtx) => boolean,
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (!isPublic(c)) c.set('session', await auth.session(c));
    await next();
  };
}

/** The session of a route that is not public. */
export function sessionOf(c: ApiCtx): Session {
  const session = c.get('session');
  if (session === undefined) throw unauthenticated();
  return session;
}

export function unauthenticated(): MakimaError {
  return new MakimaError('UNAUTHENTICATED', 'a valid key is needed', {
    fix: 'send it as the header `Authorization: Bearer <key>`',
  });
}

/** The token of exactly one well-formed header. */
function bearer({ rawHeaders }: IncomingMessage): string | undefined {
  const values = rawHeaders.filter(
    (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'authorization',
  );
  if (values.length !== 1) return undefined;
  return /^Bearer (mk_[A-Za-z0-9_]{20,200})$/.exec(values[0] ?? '')?.[1];
}
