// Waits until a store answers a question, not merely until its port is open.
// Why: Postgres listens while it still replays its log, and Redis while it loads its file.
// Law: a wait ends: by an answer, by the death of the process, or at the deadline.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

export interface ReadyOptions {
  /** Milliseconds until the wait fails. */
  timeoutMs: number;
  /** Says why there is no point in waiting on, for instance because the process has left. */
  failure?: () => string | undefined;
}

const pauseMs = 15;

/** Resolves when `select 1` is answered. */
export const postgresReady = async (url: string, options: ReadyOptions): Promise<void> =>
  untilTrue(
    `Postgres at ${new URL(url).host}`,
    async () => {
      const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
      try {
        await sql`select 1`;
        return true;
      } finally {
        await sql.end({ timeout: 0 }).catch(() => {});
      }
    },
    options,
  );

/** Resolves when PING is answered with PONG. */
export const redisReady = async (url: string, options: ReadyOptions): Promise<void> =>
  untilTrue(`Redis at ${new URL(url).host}`, () => pingRedis(url), options);

/** Asks `probe` again and again; a probe that throws counts as "not yet". */
export const untilTrue = async (
  what: string,
  probe: () => Promise<boolean>,
  options: ReadyOptions,
): Promise<void> => {
  const deadline = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    const failure = options.failure?.();
    if (failure !== undefined) throw new Error(`${what}: ${failure}`);
    try {
      if (await probe()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const why = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`${what} did not answer in ${options.timeoutMs} ms${why}`, { cause: last });
    }
    await sleep(pauseMs);
  }
};

/** One PING over a plain socket: loading a client library for it would cost 100 ms of each start. */
export const pingRedis = (url: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const { hostname, port, password, username } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port || 6379) });
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer to PING')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
    const login = username ? `${username} ${password}` : password;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('+PONG')) resolve(true);
      else if (/^-(?!LOADING)/m.test(text)) reject(new Error(text.trim().slice(0, 200)));
      else return;
      socket.destroy();
    });
    socket.once('connect', () => socket.write(`${password ? `AUTH ${login}\r\n` : ''}PING\r\n`));
  });
