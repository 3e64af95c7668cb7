/**
 * Tools whose act may need a person's leave: asked for, waited for as long as the call is held, then the act
 * is ordered.
 *
 * Law: the verb decides each time; here is only the waiting between. A denial is told, and asks nobody again.
 */
import { zId } from '@makima/contracts/ids';
import { permissionVerdict } from '@makima/domain/question';
import type { Acted, Call } from '@makima/engine/context';
import type { Ordered } from '@makima/engine/operation/permit';
import type { ToolArgs } from './tool.ts';
import { decisionOf } from './waiting.ts';

export const zLeaveHandle = zId.optional().describe('of an earlier call that waited for a person');

export const personAsked =
  'A person has to allow this; they are asked. Call again as `next` says, or end your turn: you are told when they answer.';

export type Outcome =
  | { readonly kind: 'ordered'; readonly operationId: string }
  | { readonly kind: 'asked'; readonly questionId: string }
  | { readonly kind: 'denied'; readonly response: string };

export async function orderWithLeave(
  args: Pick<ToolArgs<unknown>, 'hold' | 'call' | 'caller'>,
  verb: (call: Call) => Promise<Acted<Ordered>>,
  earlier: { readonly questionId?: string | undefined; readonly operationId?: string | undefined },
): Promise<Outcome> {
  const { operationId } = earlier;
  if (operationId !== undefined) return { kind: 'ordered', operationId };
  let { questionId } = earlier;
  if (questionId === undefined) {
    const { result } = await verb(args.call);
    if (result.operationId !== null) return { kind: 'ordered', operationId: result.operationId };
    questionId = result.questionId;
  }
  const { value } = await decisionOf(args, questionId);
  if (value.status === 'open') return { kind: 'asked', questionId };
  const response = value.response ?? 'the question was withdrawn';
  if (value.status !== 'answered' || !permissionVerdict(response).allow)
    return { kind: 'denied', response };
  // Under no key: the first call's stored answer is the question.
  const { result } = await verb({ caller: args.caller });
  return result.operationId === null
    ? { kind: 'asked', questionId: result.questionId }
    : { kind: 'ordered', operationId: result.operationId };
}
