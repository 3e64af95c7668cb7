/**
 * An agent's requests for permission: allowed at once where nobody need be asked, else put to a person.
 *
 * Law: every request gets exactly one answer, or its cancellation is told; what is not known to be an allowance
 * is never chosen as one.
 */
import type {
  PermissionOption,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import type { AcpStory } from './acp-story.ts';
import type { DialectLink } from './dialect.ts';
import type { PermissionAnswer, QuestionAnswer, StartSpec } from './driver.ts';
import type { Json } from './json.ts';

export interface AcpPermissions {
  ask(request: RequestPermissionRequest): Promise<RequestPermissionResponse>;
  /** False for an id that waits for nothing. */
  answer(requestId: string, answer: QuestionAnswer | PermissionAnswer): boolean;
  /** The turn is broken off: whoever waits is told. */
  cancel(): void;
}

export interface PermissionOptions {
  readonly link: DialectLink;
  readonly permission: StartSpec['permission'];
  readonly story: () => AcpStory;
  /** A person's words on a refusal: the protocol has no place for them. */
  readonly remark: (text: string) => void;
}

interface Open {
  readonly request: RequestPermissionRequest;
  readonly toolId: string;
  readonly title: string;
  readonly resolve: (response: RequestPermissionResponse) => void;
}

const cancelled: RequestPermissionResponse = { outcome: { outcome: 'cancelled' } };

export function acpPermissions(options: PermissionOptions): AcpPermissions {
  const open = new Map<string, Open>();
  let serial = 0;
  const refuse = ({ request, toolId }: Pick<Open, 'request' | 'toolId'>) => {
    options.story().deny(toolId);
    return chosen(request.options, ['reject_once', 'reject_always']);
  };
  return {
    ask(request) {
      const tool = options.story().toolOf(request.toolCall as unknown as Json);
      const { toolId, title } = tool;
      // Makima's own tools have guards of their own, on the other side.
      const isFree = options.permission === 'bypass' || tool.kind === 'mcp';
      if (isFree) return Promise.resolve(chosen(request.options, ['allow_once', 'allow_always']));
      if (options.permission === 'plan') return Promise.resolve(refuse({ request, toolId }));
      serial += 1;
      const requestId = `permission-${serial}`;
      const { name, input } = tool;
      return new Promise((resolve) => {
        open.set(requestId, { request, toolId, title, resolve });
        const about = { tool: name, input, reason: title };
        options.link.emit({ t: 'permission', requestId, toolId, ...about });
        options.link.emit({ t: 'state', state: 'waiting_input' });
      });
    },
    answer(requestId, answer) {
      const waiting = open.get(requestId);
      if (waiting === undefined || answer.kind !== 'permission') return false;
      open.delete(requestId);
      if (answer.allow) {
        waiting.resolve(chosen(waiting.request.options, ['allow_once', 'allow_always']));
      } else {
        waiting.resolve(refuse(waiting));
        options.remark(`You may not: ${waiting.title}. ${answer.message}`);
      }
      options.link.emit({ t: 'state', state: 'working' });
      return true;
    },
    cancel() {
      for (const [requestId, { resolve }] of open) {
        resolve(cancelled);
        options.link.emit({ t: 'request_cancelled', requestId });
      }
      open.clear();
    },
  };
}

/** The first option of the first of these kinds; without one the request is cancelled. */
function chosen(
  options: readonly PermissionOption[],
  kinds: readonly PermissionOption['kind'][],
): RequestPermissionResponse {
  for (const kind of kinds) {
    const option = options.find((offered) => offered.kind === kind);
    if (option !== undefined) {
      return { outcome: { outcome: 'selected', optionId: option.optionId } };
    }
  }
  return cancelled;
}
