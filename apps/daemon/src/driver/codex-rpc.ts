/**
 * The two directions of Codex's JSON-RPC over lines: what we ask it, and what it asks us.
 *
 * Law: every answer finds its question once; a question of its that nobody here knows is refused in its own
 * protocol, never left open.
 */
import type { Json } from './json.ts';
import { isJson, objectOf, textOf } from './json.ts';

export interface RpcFailure {
  readonly message: string;
}

export interface CodexRpc {
  call(
    method: string,
    params: Json,
    then?: { readonly done?: (result: Json) => void; readonly failed?: (why: RpcFailure) => void },
  ): void;
  /** The line of a call whose answer is of no interest. */
  line(method: string, params: Json): string;
  /** True when the line answered a call of ours. */
  read(line: Json): boolean;
}

export function codexRpc(options: {
  readonly writeLine: (line: string) => void;
  readonly onFailure: (method: string, why: RpcFailure) => void;
}): CodexRpc {
  interface Open {
    readonly method: string;
    readonly done: ((result: Json) => void) | undefined;
    readonly failed: ((why: RpcFailure) => void) | undefined;
  }
  const open = new Map<unknown, Open>();
  let serial = 0;
  const lineOf = (method: string, params: Json): string => {
    serial += 1;
    return JSON.stringify({ id: serial, method, params });
  };
  return {
    call(method, params, then = {}) {
      const line = lineOf(method, params);
      open.set(serial, { method, done: then.done, failed: then.failed });
      options.writeLine(line);
    },
    line: lineOf,
    read(line) {
      if (line.method !== undefined || line.id === undefined) return false;
      const asked = open.get(line.id);
      open.delete(line.id);
      if (isJson(line.error)) {
        const why = { message: textOf(line.error.message) ?? 'it gave no reason' };
        if (asked?.failed !== undefined) asked.failed(why);
        else if (asked !== undefined) options.onFailure(asked.method, why);
      } else asked?.done?.(objectOf(line.result));
      return true;
    },
  };
}

export function rpcResult(id: unknown, result: Json): string {
  return JSON.stringify({ id, result });
}

export function rpcRefusal(id: unknown, method: string): string {
  return JSON.stringify({
    id,
    error: { code: -32601, message: `makima does not answer ${method}` },
  });
}
