/** `makima why`: what it waits for, since when, who can act, and how. */
import type { Client } from '@makima/client/client';
import type { Why } from '@makima/contracts/entity/why';
import { MakimaError } from '@makima/domain/error';
import { contractOrTask } from '../find.ts';
import { oneLine } from '../plain.ts';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';
import { ago } from '../time.ts';
import { wrap } from '../wrap.ts';

type Blocker = Why['blockers'][number];

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const why = await ask(client, await contractOrTask(client, typed));
  if (shell.format === 'json') {
    shell.json(why);
    return;
  }
  if (!shell.screen.isTty) {
    if (why.blockers.length > 0) shell.print(renderTable(columns, why.blockers, shell.screen));
    shell.say(oneLine(why.summary));
    return;
  }
  const { colors, columns: width } = shell.screen;
  shell.print(wrap(`${colors.bold(why.status)}  ${oneLine(why.summary)}`, width, 4));
  for (const blocker of why.blockers) {
    const since = blocker.since === null ? '' : `, ${ago(blocker.since, shell.nowMs())}`;
    shell.print(wrap(`  ${colors.yellow('!')} ${oneLine(blocker.reason)}`, width, 4));
    shell.print(
      colors.dim(`    ${oneLine(blocker.kind)}${since}; can act: ${oneLine(blocker.whoCanAct)}`),
    );
    if (blocker.act !== null) shell.print(`    ${colors.cyan(oneLine(blocker.act))}`);
  }
}

const columns: readonly Column<Blocker>[] = [
  { head: 'KIND', cell: (b) => b.kind },
  { head: 'SINCE', cell: (b) => b.since ?? '-' },
  { head: 'WHO', cell: (b) => b.whoCanAct },
  { head: 'REASON', cell: (b) => b.reason },
  { head: 'ACT', cell: (b) => b.act ?? '-' },
];

/** A full id does not say what it is the id of. */
async function ask(
  client: Client,
  about: { kind: 'contract' | 'task' | 'either'; id: string },
): Promise<Why> {
  const params = { id: about.id };
  if (about.kind === 'task') return client.call('whyTask', { params });
  try {
    return await client.call('whyContract', { params });
  } catch (error) {
    const elsewhere = error instanceof MakimaError && error.code.endsWith('NOT_FOUND');
    if (about.kind === 'contract' || !elsewhere) throw error;
    return client.call('whyTask', { params });
  }
}
