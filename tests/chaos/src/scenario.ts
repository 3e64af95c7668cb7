// The contracts of a chaos run: a question, a guard, three tasks, merges, and an end.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@makima/client/client';
import { stringify } from 'yaml';

export interface Started {
  readonly id: string;
  readonly slug: string;
  readonly repo: string;
}

const taskCount = 3;

/** Each task says what it does, so that its lines can be counted on both sides. */
function taskSteps(index: number, pauseMs: number): unknown[] {
  return [
    { repeat: { times: 10 }, steps: [{ say: `task ${index} works` }, { sleep: pauseMs }] },
    { write: { file: `out/${index}.txt`, content: `made by task ${index}\n` } },
    { commit: `Piece ${index}` },
    { done: `piece ${index} is made` },
  ];
}

export function supervisorScript(pauseMs: number): string {
  const tasks = Array.from({ length: taskCount }, (_, index) => `\${task${index}}`);
  const steps = [
    { say: 'I begin.' },
    { ask: { question: 'Which colour?', choices: ['red', 'blue'] }, as: 'colour' },
    { write: { file: 'PLAN.md', content: 'Paint it ${colour.response}.\n' } },
    { commit: 'The plan' },
    { merge: { task: '${task}' } },
    { deliverable: { id: 'plan-document', evidence: [{ kind: 'file', path: 'PLAN.md' }] } },
    { advance: 'execute' },
    ...Array.from({ length: taskCount }, (_, index) => ({
      spawn: { name: `piece-${index}`, steps: taskSteps(index, pauseMs) },
      as: `task${index}`,
    })),
    { wait: { tasks } },
    { say: 'All pieces are there; the colour is ${colour.response}.' },
    ...tasks.map((task) => ({ merge: { task } })),
    {
      deliverable: {
        id: 'implementation',
        evidence: tasks.map((_, index) => ({ kind: 'merged', taskId: `\${task${index}.taskId}` })),
      },
    },
    { done: 'It is done.' },
  ];
  return planOf(steps);
}

/** A plan that a scripted agent follows. */
export function planOf(steps: readonly unknown[]): string {
  return `Lead by this script.\n\n\`\`\`\`\`makima-script\n${stringify({ steps }, { lineWidth: 0 })}\`\`\`\`\`\n`;
}

/** Where a repository is said to be. */
export type RepositoryPlace = { readonly localPath: string } | { readonly repositoryUrl: string };

/** A repository with one commit; one that is there stays. */
export function repositoryAt(dir: string, name: string): string {
  const repo = join(dir, 'repos', name);
  if (existsSync(repo)) return repo;
  mkdirSync(repo, { recursive: true });
  writeFileSync(join(repo, 'README.md'), `# ${name}\n`);
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-C', repo, ...args], { stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  const person = ['-c', 'user.name=chaos', '-c', 'user.email=chaos@localhost'];
  git(...person, 'commit', '--quiet', '-m', 'Begin');
  return repo;
}

/** The same name asks for the same contract, however often. */
export async function startContract(
  client: Client,
  dir: string,
  name: string,
  pauseMs: number,
  placeOf: (repository: string) => RepositoryPlace = (localPath) => ({ localPath }),
): Promise<Started> {
  const repo = repositoryAt(dir, name);
  const contract = await client.call('createContract', {
    idempotencyKey: `chaos-${name}`,
    body: {
      name,
      description: 'Paint three pieces.',
      contractType: 'simple',
      repositories: [placeOf(repo)],
      phaseGuard: ['plan'],
      autoCompleteEnabled: false,
      agent: 'scripted',
      supervisorPlan: supervisorScript(pauseMs),
    },
  });
  return { id: contract.id, slug: contract.slug, repo };
}

/** Pieces that stand on the delivered branch; a completed contract has them all. */
export function deliveredPieces(started: Started): number {
  try {
    const out = execFileSync(
      'git',
      ['-C', started.repo, 'ls-tree', '--name-only', `makima/${started.slug}`, '--', 'out/'],
      { encoding: 'utf8', stdio: 'pipe' },
    );
    return out.split('\n').filter((line) => line !== '').length;
  } catch {
    return 0;
  }
}

export const piecesPerContract = taskCount;
/** Its supervisor and its tasks. */
export const agentsPerContract = 1 + taskCount;
