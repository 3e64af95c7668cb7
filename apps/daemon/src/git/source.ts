/**
 * Where a repository comes from: a URL or a path that a person gave, parsed before git sees it.
 *
 * Law: https and ssh only, no credentials in a URL, no option in disguise, no private address unless its
 * host was allowed by name; an absolute path on this machine only where the caller allows it. A refused
 * value is never echoed.
 *
 * export parseSource(text, options?: { allowLocal? }): RepositorySource
 * export checkSourceHost(source, options?: HostOptions): Promise<string | null>   the address to pin
 * export checkHost(host, options?: HostOptions): Promise<string | null>           the same for a bare host
 * export isPrivateAddress(address): boolean
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { isAbsolute, normalize } from 'node:path';
import { invalid, refuse } from './failure.ts';

export type RepositorySource = { readonly kind: 'local'; readonly path: string } | RemoteSource;

export interface RemoteSource {
  readonly kind: 'https' | 'ssh';
  /** Canonical URL, as git gets it. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

export interface HostOptions {
  /** Hosts by name (or address) that may be private: the person's own forge. */
  readonly allowHosts?: readonly string[];
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}

const maxChars = 2_048;
const hostPattern =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const scpPattern = /^([a-z_][a-z0-9_-]{0,31})@([a-z0-9.-]+):(?!\/\/)([^:].*)$/i;

export function parseSource(
  text: string,
  options: { readonly allowLocal?: boolean } = {},
): RepositorySource {
  if (typeof text !== 'string' || text === '' || text.length > maxChars) throw bad('bad_url');
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f-\u009f\\]/.test(isAbsolute(text) ? text.replaceAll(' ', '') : text)) {
    throw bad('bad_url');
  }
  if (text.startsWith('-')) throw bad('option_in_disguise');
  if (isAbsolute(text)) {
    if (options.allowLocal !== true) throw bad('local_path');
    return { kind: 'local', path: normalize(text).replace(/(?<=.)\/+$/, '') };
  }
  const scp = scpPattern.exec(text);
  if (scp !== null) {
    // Kept in its own form: the path of an ssh:// URL is absolute, this one starts at the account's home.
    const [, user = '', host = '', path = ''] = scp;
    const parsed = remote('ssh', user, host, '', `/${path}`);
    return { ...parsed, url: `${user}@${host.toLowerCase()}:${path.replace(/\/+$/, '')}` };
  }
  const parts = /^(https|ssh):\/\/([^/?#]*)(\/[^?#]*)$/i.exec(text);
  if (parts === null) throw bad('scheme_refused');
  return parseAuthority(
    parts[1]?.toLowerCase() === 'ssh' ? 'ssh' : 'https',
    parts[2] ?? '',
    parts[3] ?? '',
  );
}

function parseAuthority(kind: 'https' | 'ssh', authority: string, path: string): RepositorySource {
  const at = authority.lastIndexOf('@');
  const user = at === -1 ? '' : authority.slice(0, at);
  const split = /^(\[[0-9a-f:.]+\]|[^:]*)(?::(\d{1,5}))?$/i.exec(authority.slice(at + 1));
  if (split === null) throw bad('bad_host');
  // An ssh user is an account name of the forge; anything else before the @ is a credential.
  const allowedUser = kind === 'ssh' ? /^(?:[a-z_][a-z0-9_-]{0,31})?$/i : /^$/;
  if (!allowedUser.test(user) || (at !== -1 && user === '')) throw bad('credentials_in_url');
  return remote(kind, user, split[1] ?? '', split[2] ?? '', path);
}

function remote(
  kind: 'https' | 'ssh',
  user: string,
  rawHost: string,
  rawPort: string,
  path: string,
): RemoteSource {
  const host = rawHost
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  const isAddress = isIP(host) !== 0;
  // 2130706433, 0x7f.1 and 017700000001 are addresses in disguise: a real name's last label has a letter
  // and is no number in any base.
  const last = host.split('.').at(-1) ?? '';
  const isName = hostPattern.test(host) && !/^(?:\d+|0x[0-9a-f]*)$/.test(last);
  if (!isAddress && !isName) throw bad('bad_host');
  const port = rawPort === '' ? (kind === 'https' ? 443 : 22) : Number(rawPort);
  if (port < 1 || port > 65_535) throw bad('bad_host');
  const clean = path.replace(/\/+$/, '');
  if (
    clean === '' ||
    /(?:^|\/)(?:\.\.?|-[^/]*)(?:\/|$)/.test(clean) ||
    /%00|%0a|%0d/i.test(clean)
  ) {
    throw bad('bad_path');
  }
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  const suffix = rawPort === '' ? '' : `:${port}`;
  const prefix = user === '' ? '' : `${user}@`;
  return { kind, url: `${kind}://${prefix}${shown}${suffix}${clean}`, host, port };
}

/**
 * Resolve the host once, refuse it when any answer is private, and return the address to connect to, so
 * that a second look-up cannot answer differently. Null: local, or a host allowed by name.
 */
export async function checkSourceHost(
  source: RepositorySource,
  options: HostOptions = {},
): Promise<string | null> {
  return source.kind === 'local' ? null : checkHost(source.host, options);
}

/** The same for a host by its name or address, in lower case. */
export async function checkHost(host: string, options: HostOptions = {}): Promise<string | null> {
  if (options.allowHosts?.some((allowed) => allowed.toLowerCase() === host) === true) return null;
  const addresses =
    isIP(host) === 0 ? await (options.lookup ?? lookupAll)(host).catch(() => []) : [host];
  const first = addresses[0];
  if (first === undefined) {
    throw refuse(
      'source_unreachable',
      'The host of the repository has no address',
      'Check the URL',
    );
  }
  if (addresses.some((address) => isPrivateAddress(address))) {
    throw refuse(
      'host_refused',
      'The host of the repository is on a private network',
      'Allow this host by name in the daemon settings if it is your own',
    );
  }
  return first;
}

async function lookupAll(host: string): Promise<string[]> {
  const found = await systemLookup(host, { all: true, verbatim: true });
  return found.map((entry) => entry.address);
}

const notPublic = new BlockList();
for (const [net, bits] of [
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
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(net, bits, 'ipv4');
}
const publicV6 = new BlockList();
publicV6.addSubnet('2000::', 3, 'ipv6');
// Within 2000::/3 these carry other addresses, documentation or tunnels.
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  notPublic.addSubnet(net, bits, 'ipv6');
}

/** Anything that is not plainly an address of the public internet. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return notPublic.check(address, 'ipv4');
  if (family === 6) return !publicV6.check(address, 'ipv6') || notPublic.check(address, 'ipv6');
  return true;
}

function bad(reason: string): Error {
  return invalid(
    'repositoryUrl',
    reason,
    'The repository URL is not accepted: https or ssh, without credentials',
  );
}
