// The script that the demo's supervisor follows, in the words that anyone can write (docs/guide/scripted-agent.md).
// Why: the demo runs through the same tools, queues, sockets and git as a model would.
import { stringify } from 'yaml';
import { pieces } from './repository.ts';

type Step = string | Record<string, unknown>;

/** How fast the agents are, in milliseconds: a person who watches wants to read. */
export interface Pace {
  readonly thinkMs: number;
  /** What the first task takes, and how much more each further one. */
  readonly workMs: number;
  readonly apartMs: number;
}

export const paces = {
  quick: { thinkMs: 0, workMs: 1_200, apartMs: 0 },
  watched: { thinkMs: 1_200, workMs: 3_500, apartMs: 1_000 },
} as const satisfies Record<string, Pace>;

/** A document of a phase: written, committed, brought into the contract's branch, and handed in. */
function document(id: string, file: string, title: string, text: string): Step[] {
  return [
    { write: { file, content: `# ${title}\n\n${text}\n` } },
    { commit: title },
    { merge: { task: '${task}' } },
    { deliverable: { id, evidence: [{ kind: 'file', path: file }] } },
  ];
}

/**
 * Asks to leave `plan`, which a person guards. Sent back, the supervisor puts the person's words into the
 * plan and asks again; after some rounds of that it gives up.
 */
function guardedPlan(file: string, text: string): Step[] {
  const refused = { equals: ['${guard.advanced}', false] };
  return [
    ...document('plan-document', file, 'Plan', text),
    { advance: 'execute', as: 'guard' },
    {
      repeat: { over: [1, 2, 3, 4, 5], name: 'round' },
      steps: [
        {
          when: refused,
          steps: [
            {
              say: 'You sent the plan back: ${guard.response}. I write that into it and ask again.',
            },
            { append: { file, content: '\nRemark ${round}: ${guard.response}\n' } },
            { commit: 'Plan, remark ${round}' },
            { merge: { task: '${task}' } },
            { deliverable: { id: 'plan-document', evidence: [{ kind: 'file', path: file }] } },
            { advance: 'execute', as: 'guard' },
          ],
        },
      ],
    },
    { when: refused, steps: [{ fail: 'The plan was sent back six times.' }] },
  ];
}

/** The answer about the separator is honoured: the first piece has a way for each. */
function mend(index: number, pace: Pace): Step[] {
  if (index > 0) return [spawnMending({ index, separator: '-', pace })];
  const underscore = { equals: ['${joiner.response}', 'an underscore'] };
  const { equals } = underscore;
  return [
    { ...spawnMending({ index, separator: '_', pace }), if: underscore },
    { ...spawnMending({ index, separator: '-', pace }), if: { not_equals: equals } },
  ];
}

interface Mending {
  readonly index: number;
  readonly separator: string;
  readonly pace: Pace;
}

function spawnMending({ index, separator, pace }: Mending): Record<string, unknown> {
  const piece = pieces[index]!;
  return {
    spawn: {
      name: piece.task,
      plan: `Mend ${piece.file} so that ${piece.test} passes.`,
      extra: { description: `Mend ${piece.file}` },
      steps: [
        { say: `I read ${piece.file} and ${piece.test}.` },
        { sleep: pace.workMs + index * pace.apartMs },
        { write: { file: piece.file, content: piece.mended(separator) } },
        { run: { args: ['node', '--test', piece.test] } },
        { commit: `Mend ${piece.file}` },
        { done: `${piece.file} is mended; ${piece.test} passes.` },
      ],
    },
    as: `task${index}`,
  };
}

const tasks = pieces.map((_, index) => `\${task${index}}`);

/** For the repository that the demo makes. */
export function mendingScript(pace: Pace): string {
  return script([
    { say: 'I read the repository: three functions, each with a test that fails.' },
    { sleep: pace.thinkMs },
    ...document(
      'research-notes',
      'docs/research.md',
      'Research notes',
      'slug, words and initials are wrong; each has a test.',
    ),
    { advance: 'specify' },
    {
      ask: {
        question: 'What should join the words of a slug?',
        choices: ['a dash', 'an underscore'],
        context: 'URLs with dashes are read better by search engines.',
      },
      as: 'joiner',
    },
    { say: 'You chose ${joiner.response}. I write that down.' },
    {
      when: { not_equals: ['${joiner.response}', 'an underscore'] },
      steps: [
        {
          when: { not_equals: ['${joiner.response}', 'a dash'] },
          steps: [{ say: 'My script knows dashes and underscores only, so it becomes a dash.' }],
        },
      ],
    },
    { sleep: pace.thinkMs },
    ...document(
      'requirements-document',
      'docs/requirements.md',
      'Requirements',
      'Slugs are joined by ${joiner.response}. Every test passes.',
    ),
    { advance: 'plan' },
    { say: 'Now a plan: one agent for each function, all three at once.' },
    { sleep: pace.thinkMs },
    ...guardedPlan('docs/plan.md', 'One task per function, all at once; then merge, test, review.'),
    ...pieces.flatMap((_, index) => mend(index, pace)),
    { say: 'Three agents are at work. I wait for them.' },
    { wait: { tasks }, as: 'ended' },
    { sleep: pace.thinkMs },
    { say: 'All three are done. Earlier you chose ${joiner.response}; I merge with that in mind.' },
    ...tasks.map((task) => ({ merge: { task }, as: 'merged' })),
    { run: { args: ['git', 'merge', '--ff-only', '${merged.commitSha}'] } },
    { run: { args: ['node', '--test'] } },
    { say: 'Merged here, every test passes. Now makima looks for itself.' },
    {
      deliverable: {
        id: 'implementation',
        evidence: pieces.map((_, index) => ({ kind: 'merged', taskId: `\${task${index}.taskId}` })),
      },
    },
    {
      deliverable: {
        id: 'tests-passing',
        evidence: [{ kind: 'command', command: ['node', '--test'] }],
      },
    },
    { advance: 'review' },
    ...document(
      'review-report',
      'docs/review.md',
      'Review',
      'Three branches merged, every test passes.',
    ),
    { done: 'The tests pass. It is yours to look at.' },
  ]);
}

/** For a repository of the person's own: three notes, nothing of theirs is changed. */
export function noteScript(pace: Pace): string {
  const names = ['structure', 'history', 'next-steps'];
  return script([
    { say: 'I look around in your repository.' },
    ...document('research-notes', 'docs/makima/research.md', 'Research notes', 'A first look.'),
    { advance: 'specify' },
    {
      ask: { question: 'For whom are the notes?', choices: ['newcomers', 'maintainers'] },
      as: 'readers',
    },
    ...document(
      'requirements-document',
      'docs/makima/requirements.md',
      'Requirements',
      'Three notes for ${readers.response}.',
    ),
    { advance: 'plan' },
    { sleep: pace.thinkMs },
    ...guardedPlan('docs/makima/plan.md', 'One task per note.'),
    ...names.map((name, index) => ({
      spawn: {
        name: `note-${name}`,
        steps: [
          { say: `I write about ${name}.` },
          { sleep: pace.workMs + index * pace.apartMs },
          { run: { args: ['git', 'log', '--oneline', '-n', '5'] }, as: 'log' },
          { write: { file: `docs/makima/${name}.md`, content: `# ${name}\n\n\${log.output}\n` } },
          { commit: `Note: ${name}` },
          { done: `A note about ${name}.` },
        ],
      },
      as: `task${index}`,
    })),
    { wait: { tasks } },
    { say: 'All three notes are written, for ${readers.response} as you chose earlier.' },
    ...tasks.map((task) => ({ merge: { task } })),
    {
      deliverable: {
        id: 'implementation',
        evidence: names.map((_, index) => ({ kind: 'merged', taskId: `\${task${index}.taskId}` })),
      },
    },
    {
      deliverable: {
        id: 'tests-passing',
        evidence: [{ kind: 'command', command: ['git', 'rev-parse', 'HEAD'] }],
      },
    },
    { advance: 'review' },
    ...document('review-report', 'docs/makima/review.md', 'Review', 'Three notes merged.'),
    { done: 'Your notes are ready.' },
  ]);
}

function script(steps: readonly Step[]): string {
  const text = stringify({ name: 'demo', steps }, { lineWidth: 0 });
  return `Lead the contract by this script.\n\n\`\`\`\`\`makima-script\n${text}\`\`\`\`\`\n`;
}
