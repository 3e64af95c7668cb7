/** `makima orders accept`: an order becomes a contract. */
import { tellDone } from '../act.ts';
import { orderId } from '../find-directive.ts';
import type { Shell } from '../shell.ts';
import { given } from '../supervisor/verb.ts';

interface Options {
  readonly name?: string;
  readonly type: string;
  readonly agent?: string;
  readonly model?: string;
  /** False after `--no-guard`. */
  readonly guard: boolean;
  readonly guardPhase?: readonly string[];
  /** False after `--no-start`. */
  readonly start: boolean;
}

export async function run(
  shell: Shell,
  [typed]: readonly [string],
  options: Options,
): Promise<void> {
  const client = await shell.connect();
  const id = await orderId(client, typed);
  const { name, agent, model, guard, guardPhase, start } = options;
  const accepted = await client.call('acceptOrder', {
    params: { id },
    body: {
      ...given({ name, agent, model }),
      contractType: options.type,
      phaseGuard: guard && (guardPhase === undefined || [...guardPhase]),
      start,
    },
  });
  const { slug } = accepted.contract;
  tellDone(shell, accepted, accepted.contract.id);
  shell.say(`${slug}.  Next: makima ${start ? 'watch' : 'contracts start'} ${slug}`);
}
