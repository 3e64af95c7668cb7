/**
 * The key in an upgrade request: one `Authorization: Bearer mk_daemon_…` header and nothing else.
 *
 * Law: never from the address, never from a second header, never logged.
 */
import type { IncomingMessage } from 'node:http';

const pattern = /^Bearer (mk_daemon_[0-9A-Za-z_]{20,120})$/;

/** Undefined when there is no such header, or more than one of it. */
export function bearerOf(request: IncomingMessage): string | undefined {
  const values = request.headersDistinct['authorization'] ?? [];
  return values.length === 1 ? pattern.exec(values[0] ?? '')?.[1] : undefined;
}
