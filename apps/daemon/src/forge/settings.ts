/** The forge that pull requests are opened at, as the daemon is told of it. */

export interface ForgeSettings {
  /** Base of its REST API, without a slash at the end. */
  readonly apiUrl: string;
  /** The host of its repositories' addresses. */
  readonly host: string;
  /** File with the token; read anew for each use. */
  readonly tokenFile: string;
  /** Certificates of the authority behind it; null: a public one. */
  readonly caFile: string | null;
  /** Longest time of one request, and of one push. */
  readonly requestMs: number;
  readonly pushMs: number;
}

export const forgeDefaults = {
  apiUrl: 'https://api.github.com',
  host: 'github.com',
  requestMs: 10_000,
  pushMs: 45_000,
} as const;
