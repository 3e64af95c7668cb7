/**
 * A tool of the MCP door: described once with its schemas, run by one function that calls one verb.
 *
 * Law: a description teaches when to use the tool and what comes back, in at most 400 characters; an answer
 * is small, and one that is not final names the call to go on with.
 */
import { z } from 'zod';
import { zId } from '@makima/contracts/ids';
import { MakimaError } from '@makima/domain/error';
import type { Call, Engine } from '@makima/engine/context';
import type { Principal } from '@makima/engine/principal';
import type { Api } from '../context.ts';
import type { HoldCaller } from '../holds/hold-caller.ts';

export interface ToolArgs<I> {
  readonly api: Api;
  readonly engine: Engine;
  readonly caller: Principal;
  /** The call under the id of the tool use: the same use has one effect. */
  readonly call: Call;
  readonly input: I;
  /** Holds for at most `toolHoldMs`, with progress when the client asked for it. */
  readonly hold: (timeoutSeconds?: number) => HoldCaller;
  readonly signal: AbortSignal;
}

export interface Tool<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly name: `makima_${string}`;
  readonly title: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  /** Whose tool it is: the supervisor's alone, also that of a directive's agents (`lead`), or every agent's. */
  readonly agents: 'supervisor' | 'lead' | 'all';
  /** Whether a person's key has it too. */
  readonly people: 'too' | 'not';
  readonly effect: 'reads' | 'writes' | 'destroys';
  readonly run: (args: ToolArgs<z.output<I>>) => Promise<z.input<O>>;
}

export function defineTool<I extends z.ZodType, O extends z.ZodType>(tool: Tool<I, O>): Tool<I, O> {
  return tool;
}

/** Longest that one call is held: below every time limit that agents are known to have. */
export const toolHoldMs = 240_000;

/** Of an answer that is not final: the call that goes on with it. */
export const pending = {
  stillPending: z.boolean(),
  /** What to do now, in words. */
  note: z.string().optional(),
  next: z.object({ name: z.string(), args: z.record(z.string(), z.unknown()) }).optional(),
};

export function goOn(name: Tool['name'], args: Record<string, unknown>, note: string) {
  return { stillPending: true, note, next: { name, args } };
}

/** Of a machine's work that goes on: what a call gives to wait for it again. */
export const zHandle = zId.optional().describe('of an earlier call that was still pending');
export const stillAtWork = 'The machine is still at work. Call again as `next` says.';

/** The contract that a tool speaks of: the named one, else the agent's own. */
export function contractIdOf(caller: Principal, named: string | undefined): string {
  const id = named ?? (caller.kind === 'agent' ? caller.contractId : null);
  if (id === null || id === undefined) {
    throw new MakimaError('NO_CONTEXT', 'no contract is named', { fix: 'give contractId' });
  }
  return id;
}

/** The task that a tool speaks of: the named one, else the agent's own. */
export function taskIdOf(caller: Principal, named: string | undefined): string {
  const id = named ?? (caller.kind === 'agent' ? caller.taskId : undefined);
  if (id === undefined)
    throw new MakimaError('NO_CONTEXT', 'no task is named', { fix: 'give taskId' });
  return id;
}

/** Texts beyond this are cut, and the cut is said. */
export const shownChars = 24_000;

export function shown(text: string): { readonly text: string; readonly cut: boolean } {
  if (text.length <= shownChars) return { text, cut: false };
  return { text: text.slice(0, shownChars).toWellFormed(), cut: true };
}
