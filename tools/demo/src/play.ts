// One run of the demo's contract: created, watched, its supervisor's agent killed once, seen to its end.
// Why: the story that the README promises, through the real API, queues, socket, daemon and git.
// Law: the kill is real (SIGKILL to the agent's process), and happens once, while it waits for its tasks.
import { followEvents } from '@makima/client/follow-events';
import type { Client } from '@makima/client/client';
import type { Event } from '@makima/contracts/entity/event';
import { createPerson } from './person.ts';

export interface Play {
  readonly client: Client;
  readonly contract: { readonly id: string; readonly slug: string };
  readonly yes: boolean;
  readonly tell: (event: Event) => void;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Played {
  readonly status: 'completed' | 'failed' | 'archived' | 'interrupted';
  readonly questions: number;
  readonly restorations: number;
}

const ends: Readonly<Record<string, Played['status']>> = {
  completed: 'completed',
  failed: 'failed',
  archived: 'archived',
};

export async function play(options: Play): Promise<Played> {
  const { client, contract, say, signal } = options;
  const person = createPerson({ client, yes: options.yes, say, signal });
  let questions = 0;
  let restorations = 0;
  let supervisorPid: number | undefined;
  let killed = false;
  for await (const event of followEvents(client, { contractId: contract.id, signal })) {
    options.tell(event);
    const { type, data } = event;
    if (type === 'task.started' && data['isSupervisor'] === true)
      supervisorPid = Number(data['pid']);
    if (type === 'question.asked') questions += await person.answerAll(contract.id);
    if (type === 'supervisor.restored') restorations += 1;
    if (type === 'wait.started' && !killed && supervisorPid !== undefined) {
      killed = true;
      say(`  ** the demo kills the supervisor's agent now (kill -9 ${supervisorPid}) **`);
      kill(supervisorPid);
    }
    const ended = type === 'contract.status_changed' ? ends[String(data['to'])] : undefined;
    if (ended !== undefined) return { status: ended, questions, restorations };
  }
  return { status: 'interrupted', questions, restorations };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
