/**
 * A ticket as a browser carries it: among the protocols that its socket names, the one place that a page can
 * fill and that stands in no address, history or log.
 *
 * Law: inside is the key that asked for it, sealed, so that the socket lives exactly as long as that key. It
 * opens once. The protocol that is answered is never the ticket.
 */
import type { IncomingMessage } from 'node:http';
import {
  monitorProtocol,
  monitorTicketPrefix,
  type MonitorTicket,
} from '@makima/contracts/entity/monitor';
import { MakimaError } from '@makima/domain/error';
import {
  offerMonitorTicket,
  takeMonitorTicket,
  type OnceTicket,
} from '@makima/engine/identity/monitor-ticket';
import { unauthenticated } from '../auth.ts';
import type { Api } from '../context.ts';
import { addressOf, type Session } from '../request.ts';
import { seal, unseal } from '../seal.ts';

interface Sealed extends OnceTicket {
  readonly token: string;
}

export async function giveTicket(api: Api, session: Session): Promise<MonitorTicket> {
  const ticket = await offerMonitorTicket(api.engine, session.principal);
  const plain: Sealed = { ...ticket, token: session.token };
  const value = seal(api.sealingKey, 'monitor ticket', plain);
  return {
    protocols: [monitorProtocol, `${monitorTicketPrefix}${value}`],
    expiresAt: ticket.expiresAt,
  };
}

/** The tickets among the protocols that an upgrade names. */
export function ticketsOf({ headers }: IncomingMessage): string[] {
  return protocolsOf(headers['sec-websocket-protocol'])
    .filter((name) => name.startsWith(monitorTicketPrefix))
    .map((name) => name.slice(monitorTicketPrefix.length));
}

/** Whose ticket it is. @throws UNAUTHENTICATED, or RATE_LIMITED after too many failures. */
export async function openSession(api: Api, request: IncomingMessage): Promise<Session> {
  const tickets = ticketsOf(request);
  if (tickets.length === 0) return api.auth.sessionOf(request);
  if (!protocolsOf(request.headers['sec-websocket-protocol']).includes(monitorProtocol)) {
    throw new MakimaError('VALIDATION_FAILED', `a ticket comes with ${monitorProtocol}`, {
      fix: 'name both protocols, as they were answered',
    });
  }
  const [value = ''] = tickets;
  const alone = tickets.length === 1 && request.headers.authorization === undefined;
  const session = alone ? await sessionOfTicket(api, value) : undefined;
  if (session !== undefined) return session;
  const address = addressOf(request);
  api.failures.count(address);
  throw api.failures.refusal(address) ?? unauthenticated();
}

async function sessionOfTicket(api: Api, value: string): Promise<Session | undefined> {
  const ticket = unseal(api.sealingKey, 'monitor ticket', value) as Sealed | undefined;
  if (ticket === undefined) return undefined;
  const { token } = ticket;
  const principal = await api.auth.check(token);
  if (principal === null || !(await takeMonitorTicket(api.engine, principal, ticket)))
    return undefined;
  return { principal, token };
}

/** What the server says that it speaks, of those named. */
export function chosenProtocol(named: ReadonlySet<string>): string | false {
  if (named.has(monitorProtocol)) return monitorProtocol;
  return [...named].find((name) => !name.startsWith(monitorTicketPrefix)) ?? false;
}

function protocolsOf(header: string | undefined): string[] {
  return (header ?? '').split(',').map((name) => name.trim());
}
