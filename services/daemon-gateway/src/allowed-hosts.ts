/**
 * The names under which a daemon may address this gateway. A page that was led to a name that resolves to
 * loopback sends that name as Host, and is refused.
 *
 * Law: loopback names always, everything else only when it was configured.
 */

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];
const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::\d{1,5})?$/;

export interface HostNames {
  readonly publicUrl?: string | undefined;
  /** With a port: exactly this; without: on any port. */
  readonly allowedHosts?: readonly string[] | undefined;
}

export function allowedHosts(names: HostNames): (host: string | undefined) => boolean {
  const allowed = new Set(loopbackNames);
  for (const name of names.allowedHosts ?? []) allowed.add(name.toLowerCase());
  if (names.publicUrl !== undefined) allowed.add(new URL(names.publicUrl).hostname.toLowerCase());
  return (host) => {
    const whole = host?.toLowerCase() ?? '';
    const name = hostPattern.exec(whole)?.[1];
    return name !== undefined && (allowed.has(name) || allowed.has(whole));
  };
}
