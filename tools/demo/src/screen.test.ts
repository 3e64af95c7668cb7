// How the demo's lines look on a terminal of 80 columns, and where nobody looks.
import { PassThrough } from 'node:stream';
import { sampleEvent, sampleId } from '@makima/client/testing/samples';
import { describe, expect, it } from 'vitest';
import { screenOf, type Screen } from './screen.ts';

function stage(isTTY: boolean): { screen: Screen; told: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const screen = screenOf(stream as unknown as NodeJS.WriteStream, { NO_COLOR: '1' });
  return { screen, told: () => text };
}

const long = 'word '.repeat(30).trim();

describe('on a terminal', () => {
  it('no line is wider than it, and what goes on stands below its beginning', () => {
    const { screen, told } = stage(true);
    screen.say(long);
    screen.fact('tests', long);
    screen.shout('bad', [long]);
    screen.quote({ kind: 'words', name: 'supervisor', text: long, at: '2026-01-01T00:00:00Z' });
    const done = { taskId: sampleId('task', 1), data: { name: 'mend', summary: long } };
    screen.tell(sampleEvent(1, 'task.completed', done));
    const lines = told().trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(told()).toContain('\n            word');
    expect(told()).toMatch(/ " says {7}supervisor: word.*\n {23}word/);
    expect(told()).toMatch(/ v done {7}mend: word.*\n {23}word/);
  });

  it('tells a long text in some lines, and says that there is more', () => {
    const { screen, told } = stage(true);
    screen.quote({
      kind: 'words',
      name: 'a',
      text: 'word '.repeat(1_000),
      at: '2026-01-01T00:00:00Z',
    });
    const lines = told().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(5);
    expect(lines.at(-1)).toMatch(/\.\.\.$/);
  });

  it('writes nothing while a prompt is open, and all of it afterwards', () => {
    const { screen, told } = stage(true);
    const letGo = screen.hold();
    screen.say('later');
    expect(told()).toBe('');
    letGo();
    expect(told()).toBe('later\n');
  });

  it('lets a row grow', () => {
    const { screen, told } = stage(true);
    const row = screen.row('ready: ');
    row.add('postgres');
    expect(told()).toBe('ready: postgres');
    row.add('redis');
    row.end();
    row.end();
    expect(told()).toBe('ready: postgres, redis\n');
  });
});

it('where nobody looks lines are whole, and so is a row', () => {
  const { screen, told } = stage(false);
  screen.say(long);
  const row = screen.row('ready: ');
  row.add('postgres');
  expect(told()).toBe(`${long}\n`);
  row.end();
  expect(told()).toBe(`${long}\nready: postgres\n`);
});

it('leaves the book-keeping out', () => {
  const { screen, told } = stage(false);
  screen.tell(sampleEvent(1, 'supervisor.saved'));
  screen.tell(sampleEvent(2, 'question.asked', { data: { question: 'Which?' } }));
  expect(told()).toBe('');
});
