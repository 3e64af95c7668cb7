/**
 * All generated files: what is made, and in which way it differs from what is committed.
 *
 * Why: the program writes them and the test compares them; both must mean the same files.
 * Law: a page is a function of the code alone: no time, no machine, no environment.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { existing, readSource, root } from './checkout.ts';
import { agentsPage } from './pages/agents.ts';
import { chaosPage } from './pages/chaos.ts';
import { cliPage } from './pages/cli.ts';
import { eventsPage } from './pages/events.ts';
import { httpPage, openApiPage } from './pages/http.ts';
import { jobsPage } from './pages/jobs.ts';
import { limitsPage } from './pages/limits.ts';
import { overviewPage } from './pages/overview.ts';
import { policyPage } from './pages/policy.ts';
import { problemsPage } from './pages/problems.ts';
import { requirementsPage } from './pages/requirements.ts';
import { envExample, settingsPage } from './pages/settings.ts';
import { socketPage } from './pages/socket.ts';
import { statesPage } from './pages/states.ts';
import { toolsPage } from './pages/tools.ts';

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

const folder = 'docs/reference';

type Page = readonly [file: string, about: string, make: () => string | Promise<string>];

const pages: readonly Page[] = [
  ['agents.md', 'what each kind of agent can do', agentsPage],
  ['chaos.md', 'what fails in chaos runs, and the figures of those recorded', chaosPage],
  ['cli.md', 'every command and its help', cliPage],
  ['events.md', 'types of events, and who emits them', eventsPage],
  ['http.md', 'every endpoint on one page', httpPage],
  ['jobs.md', 'the queues', jobsPage],
  ['limits.md', 'every limit with its unit', limitsPage],
  ['openapi.json', 'the HTTP API for programs (OpenAPI 3.1)', openApiPage],
  ['policy.md', 'who may call what', policyPage],
  ['problems.md', 'error codes: status, exit code, meaning, what to do', problemsPage],
  ['requirements.md', 'tests that were asked for, and which hold them', requirementsPage],
  ['settings.md', 'environment variables of every process', settingsPage],
  ['socket.md', 'the protocol between a daemon and the gateway', socketPage],
  ['states.md', 'what may follow what: contract, task, attempt, supervisor, question', statesPage],
  ['tools.md', 'what agents may call', toolsPage],
];

export async function generate(): Promise<GeneratedFile[]> {
  const made = await Promise.all(
    pages.map(async ([file, , make]) => ({ path: `${folder}/${file}`, text: await make() })),
  );
  const overview = overviewPage(pages.map(([file, about]) => [file, about]));
  return [
    ...made,
    { path: `${folder}/README.md`, text: overview },
    { path: '.env.example', text: envExample() },
  ];
}

/** One sentence for each file that is not as the code says, with the first line that differs. */
export function differences(files: readonly GeneratedFile[]): string[] {
  const known = new Set(files.map(({ path }) => path));
  const strangers = existing(folder) === undefined ? [] : readdirSync(join(root, folder));
  return [
    ...files.flatMap(({ path, text }) => difference(path, text)),
    ...strangers
      .map((name) => `${folder}/${name}`)
      .filter((path) => !known.has(path))
      .map((path) => `${path} is not made from the code: it belongs elsewhere`),
  ];
}

function difference(path: string, text: string): string[] {
  if (existing(path) === undefined) return [`${path} is missing`];
  const [wanted, found] = [text.split('\n'), readSource(path).split('\n')];
  const length = Math.max(wanted.length, found.length);
  for (let at = 0; at < length; at += 1) {
    if (wanted[at] === found[at]) continue;
    const [says, has] = [wanted[at], found[at]].map((line) => (line ?? '(nothing)').slice(0, 160));
    return [`${path}:${at + 1} has\n    ${has}\n  and the code says\n    ${says}`];
  }
  return [];
}
