// A contract led by a real agent, against a model of ours on loopback: the story, the same for every kind.
// Why: the scripted agent shows that makima works; this shows that it works with the agents that people use.
// Law: the program is the pinned real one; the model decides by what it has read, as a model does, so that it
// finds its way after a kill from its conversation alone.
import { join } from 'node:path';
import type { ModelRequest, Reply, Scripts, ToolUse } from '@makima/mock-model/reply';
import type { MockModel } from '@makima/mock-model/server';
import { expect, it } from 'vitest';
import { isAlive, killNow } from './agents.ts';
import { expectInvariants, type House } from './house.ts';
import { every } from './pages.ts';
import { filesOn, git, makeRepository, stateOf } from './repository.ts';
import { followStory } from './story.ts';

/** How a kind of agent calls its tools. */
export interface GreetingForms {
  readonly shell: (command: string) => ToolUse;
  /** What it puts before the names of makima's tools. */
  readonly prefix?: string;
}

/** What a supervisor does next, by what its conversation and the notice hold: a kill may cost its last lines. */
function lead({ messages }: ModelRequest, prefix: string): Reply {
  const use = (text: string, name: string, input: Record<string, unknown>): Reply => ({
    text,
    tools: [{ name: `${prefix}makima_${name}`, input }],
  });
  const results = messages.filter(({ role }) => role === 'tool').map(({ text }) => text);
  const said = (role: string, words: string): boolean =>
    messages.some((message) => message.role === role && message.text.includes(words));
  const has = (words: string): boolean => results.some((text) => text.includes(words));
  // What is told while it works comes beside a tool's result.
  const heard = (words: string): boolean => said('user', words) || has(words);
  const taskId = /"taskId":"([0-9a-f-]{36})"/.exec(results.join('\n'))?.[1];
  if (taskId === undefined) {
    const plan = 'Write a greeting. [[script:write]]';
    return use('I have it written.', 'spawn', { name: 'write-greeting', plan });
  }
  if (!has('"status":"done"')) return use('I wait for it.', 'wait', { taskIds: [taskId] });
  if (!has('"merged":true')) return use('I take it over.', 'merge', { taskId });
  const deliverable = (id: string, evidence: object): Reply =>
    use(`I hand in ${id}.`, 'deliverable', { deliverableId: id, evidence: [evidence] });
  if (!has('"deliverableId":"plan-document"') && !heard('plan-document of plan'))
    return deliverable('plan-document', { kind: 'file', path: 'PLAN.md' });
  if (!said('assistant', 'I ask a person.') && !heard('Is it warm enough?'))
    return use('I ask a person.', 'ask', {
      question: 'Is it warm enough?',
      choices: ['yes', 'no'],
    });
  if (!has('"response":"yes"') && !heard('[User Response to Question]\nQuestion: Is it warm'))
    return { text: 'I wait for the answer.' };
  if (!has('"advanced":true')) return use('Onwards.', 'advance', { phase: 'execute' });
  if (!has('"deliverableId":"implementation"'))
    return deliverable('implementation', { kind: 'merged', taskId });
  return { text: 'The greeting is delivered.' };
}

const commands = [
  'mkdir -p out && printf "Good morning\\n" > out/greeting.txt && printf "# Plan\\n" > PLAN.md',
  // What it is told of its own task, by the command that it finds on its path.
  'makima supervisor status > out/status.json',
  'git add --all && git commit --quiet --message "Write a greeting"',
].join(' && ');

/** What the model answers. */
export function greetingScripts({ shell, prefix = 'mcp__makima__' }: GreetingForms): Scripts {
  const write: Reply = { text: 'I write it.', tools: [shell(commands)] };
  return {
    lead: [(request) => lead(request, prefix)],
    write: [write, { text: 'It is written.' }],
  };
}

/** The cases. In order: the first looks before anything runs. */
export function leadsAContract(
  kind: string,
  stage: () => { readonly house: House; readonly model: MockModel },
): void {
  it('is found by the daemon, with its version and who is signed in', async () => {
    const { items } = await stage().house.client.call('listDaemons');
    const found = items[0]?.agents.find((agent) => agent.kind === kind);
    expect(found).toMatchObject({ available: true, signedIn: true, tested: true });
    expect(found?.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('leads a contract, is killed while it asks, and goes on in the same conversation', async () => {
    const { house, model } = stage();
    const { client } = house;
    const repo = makeRepository(join(house.dir, 'greeting'));
    const before = stateOf(repo);
    const contract = await client.call('createContract', {
      body: {
        name: 'greeting',
        description: 'A greeting.',
        repositories: [{ localPath: repo }],
        phaseGuard: false,
        agent: kind,
        supervisorPlan: 'Lead the work. [[script:lead]]',
      },
    });
    const story = followStory(client, contract.id);
    const id = contract.supervisorTaskId ?? '';
    const started = await story.until('task.started', ({ taskId }) => taskId === id);
    expect(started.data).toMatchObject({ agent: kind, attempt: 1, resumedFrom: 'new' });
    const asked = await story.until('question.asked');
    const pid = Number(started.data['pid']);
    expect(isAlive(pid)).toBe(true);
    killNow(pid);
    const restored = await story.until('supervisor.restored');
    expect(restored.data).toMatchObject({ epoch: 2, restorationCount: 1 });
    expect(restored.data['pid']).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
    // It has read its conversation and the notice, and does not ask again.
    const resumed = await model.seen(
      ({ request, side }) =>
        !side &&
        request.messages.some(({ text }) => text.includes('SUPERVISOR RESTORATION NOTICE')),
    );
    const own = resumed.request.messages.filter(({ role }) => role === 'assistant');
    expect(own.some(({ text }) => text.includes('I take it over.'))).toBe(true);
    await client.call('answerQuestion', {
      params: { id: String(asked.data['questionId']) },
      body: { response: 'yes' },
    });
    expect(await story.end()).toBe('completed');
    const questions = story.events.filter(({ type }) => type === 'question.asked');
    expect(questions).toHaveLength(1);
    const spawned = story.events.filter(({ type }) => type === 'task.spawned');
    expect(spawned.map(({ data }) => data['name'])).toEqual(['write-greeting']);
    const sessions = model.log
      .filter(({ script }) => script === 'lead')
      .map(({ request }) => request.session);
    expect(new Set(sessions).size).toBe(1);
    expect(filesOn(repo, `makima/${contract.slug}`)).toEqual([
      'PLAN.md',
      'README.md',
      'out/greeting.txt',
      'out/status.json',
    ]);
    const status = git(repo, 'show', `makima/${contract.slug}:out/status.json`);
    expect(JSON.parse(status)).toMatchObject({ kind: 'task', name: 'write-greeting' });
    expect(git(repo, 'show', `makima/${contract.slug}:out/greeting.txt`)).toBe('Good morning');
    expect(stateOf(repo)).toBe(before);
    const lines = await every((after) =>
      client.call('listConversation', { params: { id }, query: { limit: 100, ...after } }),
    );
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
    const notices = lines.filter(({ content }) => content.includes('RESTORATION NOTICE ==='));
    expect(notices).toHaveLength(1);
    // What it says after its last act comes when the contract is complete already.
    expect(lines.some(({ content }) => content === 'I hand in implementation.')).toBe(true);
    story.close();
    await expectInvariants(house);
  });
}
