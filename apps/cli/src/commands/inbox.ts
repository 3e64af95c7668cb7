/** `makima inbox`: what needs a person, most urgent first, and the command that settles it. */
import type { InboxItem } from '@makima/contracts/entity/question';
import { deliverableLine } from '../deliverable-line.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { cut, renderTable, shortIds, type Column } from '../table.ts';
import { ago, duration } from '../time.ts';
import { wrap } from '../wrap.ts';

export async function run(shell: Shell): Promise<void> {
  const client = await shell.connect();
  const inbox = await client.call('inbox');
  if (shell.format === 'json') {
    shell.json(inbox);
    return;
  }
  if (inbox.items.length === 0) {
    shell.say('Nothing needs you.  What goes on: makima contracts list');
    return;
  }
  if (!shell.screen.isTty) {
    shell.print(renderTable(columns, inbox.items, shell.screen));
    return;
  }
  const questions = inbox.items.flatMap((item) =>
    item.question === null ? [] : [item.question.id],
  );
  const short = shortIds(questions);
  shell.print(inbox.items.map((item) => block(item, shell, short)).join('\n\n'));
}

const columns: readonly Column<InboxItem>[] = [
  { head: 'KIND', cell: (item) => item.kind },
  { head: 'SINCE', cell: (item) => item.since },
  { head: 'CONTRACT', cell: (item) => item.contractSlug ?? '-' },
  { head: 'QUESTION', cell: (item) => item.question?.id ?? '-' },
  { head: 'TITLE', cell: (item) => item.title },
  { head: 'CHOICES', cell: (item) => item.question?.choices.join(' | ') ?? '' },
  { head: 'TOOL', cell: (item) => toolText(item.question?.tool ?? null) },
  { head: 'DEFAULT', cell: (item) => defaultText(item.question?.default ?? null) },
  { head: 'ACT', cell: (item) => item.act },
];

function block(item: InboxItem, shell: Shell, short: (id: string) => string): string {
  const { colors, columns: width } = shell.screen;
  const failed = item.kind === 'failure' || item.kind === 'incident';
  const sign = failed ? colors.red('x') : colors.yellow('!');
  const asker = item.question?.askedBy ?? null;
  const from = [item.contractSlug ?? '-', ...(asker === null ? [] : [asker])].concat(
    ago(item.since, shell.nowMs()),
  );
  const lines = [
    `${sign} ${colors.bold(oneLine(item.title))}  ${colors.dim(oneLine(from.join(', ')))}`,
  ];
  const { question } = item;
  if (question !== null) {
    if (oneLine(question.question) !== oneLine(item.title)) lines.push(oneLine(question.question));
    if (question.tool !== null) lines.push(...toolLines(question.tool, shell));
    if (question.context !== null) lines.push(colors.dim(oneLine(question.context)));
    for (const deliverable of question.confirmation?.deliverables ?? []) {
      lines.push(`${colors.green('v')} ${deliverableLine(deliverable)}`);
    }
    for (const [at, choice] of question.choices.entries()) {
      lines.push(`  ${at + 1}  ${oneLine(choice)}`);
    }
    if (question.multiSelect) lines.push(colors.dim('  several may be taken: 1,2'));
    const alone = countdown(question, shell.nowMs());
    if (alone !== '') lines.push(colors.yellow(alone));
  }
  // The server's own words name the full id; what a person types may be short.
  const act =
    question === null ? item.act : oneLine(item.act).replaceAll(question.id, short(question.id));
  const body = lines.map((line, at) => wrap(at === 0 ? line : `  ${line}`, width, 4));
  // A command may be copied, and stays whole.
  return [...body, `  ${colors.cyan(oneLine(act))}`].join('\n');
}

type Asked = NonNullable<InboxItem['question']>;

/** What a person must see of a call before they allow it takes so much room at most. */
const inputChars = 400;

function toolLines(tool: NonNullable<Asked['tool']>, shell: Shell): string[] {
  const { colors, ellipsis } = shell.screen;
  const fields =
    typeof tool.input === 'object' && tool.input !== null && !Array.isArray(tool.input)
      ? Object.entries(tool.input)
      : [['input', tool.input] as const];
  return fields.map(([name, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    return `  ${colors.dim(`${oneLine(name)}:`)} ${cut(oneLine(text), inputChars, ellipsis)}`;
  });
}

function toolText(tool: Asked['tool']): string {
  return tool === null ? '' : `${tool.name} ${JSON.stringify(tool.input) ?? ''}`;
}

function defaultText(given: Asked['default']): string {
  return given === null ? '' : `${given.answer} ${given.at ?? 'stopped'}`;
}

/** What happens when nobody answers, and when. */
function countdown({ default: given }: Asked, nowMs: number): string {
  if (given === null) return '';
  const answer = oneLine(given.answer);
  if (given.at === null) return `its asker would take "${answer}"; the countdown is stopped`;
  const left = Math.max(0, Date.parse(given.at) - nowMs);
  return `answers itself with "${answer}" in ${duration(left)}; --stop-countdown lets it wait for you`;
}
