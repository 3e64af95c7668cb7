// Contracts led by a script: made with one call, and the steps that most of them share.
// Law: scripts are what anyone can write (docs/guide/scripted-agent.md); nothing here knows the agent's insides.
import { join } from 'node:path';
import type { Client } from '@makima/client/client';
import type { ContractDetail, ContractInput } from '@makima/contracts/entity/contract';
import { stringify } from 'yaml';
import { makeRepository } from './repository.ts';
import { followStory, type Story } from './story.ts';

export type Step = string | Readonly<Record<string, unknown>>;

/** A plan that a scripted agent follows. */
export function planOf(steps: readonly Step[]): string {
  const script = stringify({ steps }, { lineWidth: 0 });
  return `Follow this.\n\n\`\`\`\`\`makima-script\n${script}\`\`\`\`\`\n`;
}

/** A file of the phase: written, committed, merged into the contract's branch and handed in. */
export function document(id: string, file: string): Step[] {
  return [
    { write: { file, content: `# ${id}\n` } },
    { commit: `Write ${id}` },
    { merge: { task: '${task}' } },
    { deliverable: { id, evidence: [{ file }] } },
  ];
}

/** Waits for a message with this word; the test says when. */
export const hold = (word: string): Step => ({ wait_message: { containing: word } });

/** Spawns a task with steps of its own, known in the script as `${name}`. */
export function spawn(name: string, steps: readonly Step[], extra: object = {}): Step {
  return { spawn: { name, steps, ...extra }, as: name.replaceAll('-', '_') };
}

/** A task that works on a file of its own when it is told to go. */
export function pieceSteps(name: string, lines = 5): Step[] {
  return [
    { say: `${name} begins` },
    hold('go'),
    { repeat: { times: lines }, steps: [{ say: `${name} line \${index}` }] },
    { write: { file: `out/${name}.txt`, content: `made by ${name}\n` } },
    { commit: `Make ${name}` },
    { done: `${name} is made` },
  ];
}

export interface Started {
  readonly contract: ContractDetail;
  readonly id: string;
  readonly slug: string;
  readonly repo: string;
  /** The branch that is delivered. */
  readonly branch: string;
  readonly supervisorId: string;
  readonly story: Story;
}

type Asked = Partial<ContractInput> & { readonly name: string; readonly repo?: string };

/** Creates and starts a contract of one phase-free run: no guard, completes by itself, unless told otherwise. */
export async function startContract(
  place: { readonly client: Client; readonly dir: string },
  steps: readonly Step[],
  { repo = makeRepository(join(place.dir, 'repos', crypto.randomUUID())), ...asked }: Asked,
): Promise<Started> {
  const { client } = place;
  const contract = await client.call('createContract', {
    body: {
      description: 'A small thing.',
      contractType: 'simple',
      phaseGuard: false,
      agent: 'scripted',
      ...asked,
      repositories: asked.repositories ?? [{ localPath: repo }],
      supervisorPlan: planOf(steps),
    },
  });
  return {
    contract,
    id: contract.id,
    slug: contract.slug,
    repo,
    branch: `makima/${contract.slug}`,
    supervisorId: contract.supervisorTaskId ?? '',
    story: followStory(client, contract.id),
  };
}

/** The task of a contract with this name, once it has been spawned. */
export async function taskNamed({ story }: Started, name: string): Promise<string> {
  const { taskId } = await story.until('task.spawned', ({ data }) => data['name'] === name);
  return taskId ?? '';
}

/** Tells an agent something that it reads within its turn. */
export async function tell(client: Client, taskId: string, message: string): Promise<void> {
  await client.call('messageTask', { params: { id: taskId }, body: { message, mode: 'steer' } });
}

/** Waits for the question and answers it. */
export async function answer(
  client: Client,
  { story }: Started,
  words: string,
  response: string,
): Promise<string> {
  const asked = await story.until('question.asked', ({ data }) =>
    String(data['question']).includes(words),
  );
  const id = String(asked.data['questionId']);
  await client.call('answerQuestion', { params: { id }, body: { response } });
  return id;
}
