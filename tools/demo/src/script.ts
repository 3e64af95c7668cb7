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
  quick: { thinkMs: 0, workMs: 1_800, apartMs: 0 },
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

interface Gate {
  readonly id: string;
  readonly file: string;
  readonly title: string;
  readonly text: string;
  /** Asks the person, and keeps the answer as `gate`. */
  readonly ask: Step;
  /** Holds when the person did not agree. */
  readonly refused: Record<string, unknown>;
}

/**
 * A document that a person has to agree to. Sent back, the supervisor puts the person's words into it and
 * asks again; after some rounds of that it gives up.
 */
function gated({ id, file, title, text, ask, refused }: Gate): Step[] {
  return [
    ...document(id, file, title, text),
    ask,
    {
      repeat: { over: [1, 2, 3, 4, 5], name: 'round' },
      steps: [
        {
          when: refused,
          steps: [
            { say: 'Your answer: ${gate.response}. I write that down and ask again.' },
            { append: { file, content: '\nRemark ${round}: ${gate.response}\n' } },
            { commit: `${title}, remark \${round}` },
            { merge: { task: '${task}' } },
            { deliverable: { id, evidence: [{ kind: 'file', path: file }] } },
            ask,
          ],
        },
      ],
    },
    { when: refused, steps: [{ fail: `${title}: sent back six times.` }] },
  ];
}

/** Leaving `plan`, which a person guards. */
const plan = (file: string, text: string): Step[] =>
  gated({
    id: 'plan-document',
    file,
    title: 'Plan',
    text,
    ask: { advance: 'execute', as: 'gate' },
    refused: { equals: ['${gate.advanced}', false] },
  });

/** The end, which a person confirms. */
const review = (file: string, text: string): Step[] =>
  gated({
    id: 'review-report',
    file,
    title: 'Review',
    text,
    ask: {
      tool: {
        name: 'makima_ask',
        args: { question: 'Is it complete?', questionType: 'contract_complete', phaseguard: true },
      },
      as: 'gate',
    },
    refused: { not_equals: ['${gate.response}', 'Approve'] },
  });

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
        { done: 'mended, and its test passes' },
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
    ...plan('docs/plan.md', 'One task per function, all at once; then merge, test, review.'),
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
    { say: 'All of it is there. I write a review; whether it is complete is for you to say.' },
    ...review('docs/review.md', 'Three branches merged, every test passes.'),
  ]);
}

/** What is noted about a repository of the person's own, and from what. */
const notes: readonly { readonly about: string; readonly from: readonly string[] }[] = [
  { about: 'structure', from: ['git', 'ls-tree', '--name-only', 'HEAD'] },
  { about: 'history', from: ['git', 'log', '--oneline', '-n', '10'] },
  { about: 'people', from: ['git', 'shortlog', '--summary', '--numbered', 'HEAD'] },
];
const noteFile = (about: string): string => `docs/makima/${about}.md`;

/** For a repository of the person's own: three notes, nothing of theirs is changed. */
export function noteScript(pace: Pace): string {
  return script([
    { say: 'I look around in your repository.' },
    { sleep: pace.thinkMs },
    ...document('research-notes', noteFile('research'), 'Research notes', 'A first look.'),
    { advance: 'specify' },
    {
      ask: { question: 'For whom are the notes?', choices: ['newcomers', 'maintainers'] },
      as: 'readers',
    },
    { say: 'You chose ${readers.response}. I write that down.' },
    ...document(
      'requirements-document',
      noteFile('requirements'),
      'Requirements',
      'Three notes for ${readers.response}.',
    ),
    { advance: 'plan' },
    { sleep: pace.thinkMs },
    ...plan(noteFile('plan'), 'One task per note, all at once.'),
    ...notes.map(({ about, from }, index) => ({
      spawn: {
        name: `note-${about}`,
        steps: [
          { say: `I write about ${about}.` },
          { sleep: pace.workMs + index * pace.apartMs },
          { run: { args: from }, as: 'seen' },
          { write: { file: noteFile(about), content: `# ${about}\n\n\${seen.output}\n` } },
          { commit: `Note: ${about}` },
          { done: `a note about ${about}` },
        ],
      },
      as: `task${index}`,
    })),
    { say: 'Three agents are at work. I wait for them.' },
    { wait: { tasks } },
    { say: 'All three notes are written, for ${readers.response} as you chose earlier.' },
    ...tasks.map((task) => ({ merge: { task } })),
    {
      deliverable: {
        id: 'implementation',
        evidence: notes.map((_, index) => ({ kind: 'merged', taskId: `\${task${index}.taskId}` })),
      },
    },
    {
      deliverable: {
        id: 'tests-passing',
        evidence: [
          { kind: 'command', command: ['ls', ...notes.map(({ about }) => noteFile(about))] },
        ],
      },
    },
    { advance: 'review' },
    ...review(noteFile('review'), 'Three notes merged.'),
  ]);
}

function script(steps: readonly Step[]): string {
  const text = stringify({ name: 'demo', steps }, { lineWidth: 0 });
  return `Lead the contract by this script.\n\n\`\`\`\`\`makima-script\n${text}\`\`\`\`\`\n`;
}
