// The script that the demo's supervisor follows, in the words that anyone can write (docs/guide/scripted-agent.md).
// Why: the demo runs through the same tools, queues, sockets and git as a model would.
import { stringify } from 'yaml';
import { pieces } from './repository.ts';

type Step = string | Record<string, unknown>;

/** A document of a phase: written, committed, brought into the contract's branch, and handed in. */
function document(id: string, file: string, title: string, text: string): Step[] {
  return [
    { write: { file, content: `# ${title}\n\n${text}\n` } },
    { commit: title },
    { merge: { task: '${task}' } },
    { deliverable: { id, evidence: [{ kind: 'file', path: file }] } },
  ];
}

/** The answer about the separator is honoured: the first piece has a way for each. */
function mend(index: number): Step[] {
  if (index > 0) return [spawnMending(index, '-')];
  const underscore = { equals: ['${joiner.response}', 'an underscore'] };
  const { equals } = underscore;
  return [
    { ...spawnMending(index, '_'), if: underscore },
    { ...spawnMending(index, '-'), if: { not_equals: equals } },
  ];
}

function spawnMending(index: number, separator: string): Record<string, unknown> {
  const piece = pieces[index]!;
  return {
    spawn: {
      name: piece.task,
      plan: `Mend ${piece.file} so that ${piece.test} passes.`,
      extra: { description: `Mend ${piece.file}` },
      steps: [
        { say: `I read ${piece.file} and ${piece.test}.` },
        { sleep: 1_200 },
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
export function mendingScript(): string {
  return script([
    { say: 'I read the repository: three functions, each with a test that fails.' },
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
    ...document(
      'requirements-document',
      'docs/requirements.md',
      'Requirements',
      'Slugs are joined by ${joiner.response}. Every test passes.',
    ),
    { advance: 'plan' },
    ...document(
      'plan-document',
      'docs/plan.md',
      'Plan',
      'One task per function, all at once; then merge, test, review.',
    ),
    { advance: 'execute', as: 'guard' },
    ...pieces.flatMap((_, index) => mend(index)),
    { say: 'Three agents are at work. I wait for them.' },
    { wait: { tasks }, as: 'ended' },
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
export function noteScript(): string {
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
    ...document('plan-document', 'docs/makima/plan.md', 'Plan', 'One task per note.'),
    { advance: 'execute' },
    ...names.map((name, index) => ({
      spawn: {
        name: `note-${name}`,
        steps: [
          { sleep: 1_200 },
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
