/**
 * How an HTTP endpoint is described: once, as data. The route, the check of who may call it, the OpenAPI
 * document, the typed client and the reference page all come from these descriptions.
 *
 * Law: a route without a description does not exist; a description without a policy does not type-check.
 */
import type { z } from 'zod';
import type { ErrorCode } from '@makima/domain/error';

/** What a person's key must carry. `owner` also asks for the owner role. */
export type Scope = 'read' | 'write' | 'owner';

/**
 * Who may call: deny by default. A credential kind that is not named gets 403, none at all 401.
 * `tool` tells which agents may: a contract's supervisor; `lead`, also the agents of a directive; any task's
 * own; or none.
 */
export type Policy =
  | { readonly public: true }
  | {
      readonly person: Scope | 'none';
      readonly tool: 'none' | 'supervisor' | 'lead' | 'task';
      readonly daemon: boolean;
    };

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Endpoint<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  /** operationId: verb and noun, unique. */
  readonly id: string;
  readonly method: Method;
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly tag: string;
  /** One line; the reference's title. */
  readonly summary: string;
  /** Where it comes from and what is worth knowing. */
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly status: 200 | 201 | 202 | 204;
  readonly response: R;
  /** Codes beyond those that every route may answer (validation, authentication, limits, store). */
  readonly errors: readonly ErrorCode[];
  readonly policy: Policy;
  /** Honours Idempotency-Key: same key and body, one effect and one answer. */
  readonly idempotent?: boolean;
}

export function defineEndpoint<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
>(endpoint: Endpoint<P, Q, B, R>): Endpoint<P, Q, B, R> {
  return endpoint;
}

export type ParamsOf<E> =
  E extends Endpoint<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.output<P> : never;
export type QueryOf<E> =
  E extends Endpoint<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.output<Q> : never;
export type BodyOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.output<B> : never;
export type BodyInputOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.input<B> : never;
export type QueryInputOf<E> =
  E extends Endpoint<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.input<Q> : never;
export type ResponseOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R> ? z.output<R> : never;
