/**
 * Which loopback token belongs to which run. The token is all that an agent has; the key stays here.
 *
 * Law: compared in constant time, dead with its run, never written anywhere.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Running } from '@makima/contracts/socket/frames';

export interface ToolRun extends Running {
  /** The key under which the control plane knows this run's calls. */
  readonly toolKey: string;
}

export interface ToolRuns {
  /** A fresh token for this run. */
  open(run: ToolRun): string;
  close(token: string): void;
  /** The run of an `Authorization` header; null for any other text. */
  find(authorization: string | undefined): ToolRun | null;
}

export function createToolRuns(): ToolRuns {
  const runs = new Map<string, { readonly digest: Buffer; readonly run: ToolRun }>();
  return {
    open(run) {
      const token = `mkrun_${randomBytes(32).toString('base64url')}`;
      runs.set(token, { digest: digestOf(token), run });
      return token;
    },
    close: (token) => void runs.delete(token),
    find(authorization) {
      const token = /^Bearer ([\w-]{1,200})$/.exec(authorization ?? '')?.[1];
      if (token === undefined) return null;
      const digest = digestOf(token);
      let found: ToolRun | null = null;
      for (const known of runs.values()) {
        if (timingSafeEqual(known.digest, digest)) found = known.run;
      }
      return found;
    },
  };
}

/** Equal lengths for the comparison, and no early end by a common beginning. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
