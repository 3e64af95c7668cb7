/**
 * Where makima may speak to by itself: public addresses, over TLS. Nothing of the machine's own, of its
 * network or of a cloud's inside is reached by an address that somebody typed, unless whoever runs the
 * installation has named that host.
 *
 * Law: an address that is not known to be public is not. Names are judged by what they resolve to, at the
 * moment of sending; here is judged what can be read off a URL.
 */
import { BlockList, isIP } from 'node:net';
import { MakimaError } from '@makima/domain/error';

/** IANA's special-purpose registries: everything that is not an ordinary public unicast address. */
const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Of IPv6 only 2000::/3 is public, but for these, some of which carry an IPv4 address within. */
const special6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const blocked4 = new BlockList();
for (const [net, prefix] of special4) blocked4.addSubnet(net, prefix, 'ipv4');
const blocked6 = new BlockList();
for (const [net, prefix] of special6) blocked6.addSubnet(net, prefix, 'ipv6');
const unicast6 = new BlockList();
unicast6.addSubnet('2000::', 3, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !blocked4.check(address, 'ipv4');
    case 6:
      return unicast6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6');
    default:
      return false;
  }
}

export function isLoopbackAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** `host`, or `host:port` for that port alone, as the installation names them. */
export function isAllowedHost(url: URL, allowed: readonly string[]): boolean {
  const host = hostOf(url);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return allowed.some((name) => {
    const wanted = name.toLowerCase();
    return wanted === host || wanted === `${host}:${port}` || wanted === `[${host}]:${port}`;
  });
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

/** What a URL itself says against it; undefined when nothing does. Its names are not resolved. */
export function objectionTo(url: URL, allowed: readonly string[]): string | undefined {
  const host = hostOf(url);
  const isAllowed = isAllowedHost(url, allowed);
  if (url.username !== '' || url.password !== '')
    return 'it must not hold a user or password; they would stand in lists and logs';
  if (url.hash !== '') return 'it must not hold a fragment; nobody would receive it';
  if (url.protocol === 'http:') {
    const isLocal = host === 'localhost' || isLoopbackAddress(host);
    return isAllowed && isLocal
      ? undefined
      : 'it must be https; http goes only to this machine, and only where MAKIMA_WEBHOOK_ALLOWED_HOSTS says so';
  }
  if (url.protocol !== 'https:') return 'it must be https';
  if (isAllowed) return undefined;
  const isInside = host === 'localhost' || host.endsWith('.localhost');
  if (isInside || (isIP(host) !== 0 && !isPublicAddress(host)))
    return `${host} is not a public address; MAKIMA_WEBHOOK_ALLOWED_HOSTS may allow it`;
  return undefined;
}

/** @throws VALIDATION_FAILED with what is wrong with it. */
export function checkedUrl(text: string, allowed: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const objection = url === undefined ? 'it is not a URL' : objectionTo(url, allowed);
  if (url !== undefined && objection === undefined) return url;
  throw new MakimaError('VALIDATION_FAILED', `this address cannot be told: ${objection}`, {
    details: { errors: [{ pointer: '/url', detail: objection }] },
    fix: 'give an https address that everybody can reach',
  });
}
