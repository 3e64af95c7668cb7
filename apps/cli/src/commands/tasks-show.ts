/** `makima tasks show`: one task with its attempts. */
import type { TaskDetail } from '@makima/contracts/entity/task';
import { spentWords } from '@makima/domain/usage';
import { budgetFact } from '../budget.ts';
import { costColumn } from '../cost.ts';
import { renderFacts, type Fact } from '../facts.ts';
import { taskId } from '../find.ts';
import type { Shell } from '../shell.ts';
import { renderTable, type Column } from '../table.ts';
import { ago, duration, until } from '../time.ts';

type Attempt = TaskDetail['attempts'][number];

export async function run(shell: Shell, [typed]: readonly [string]): Promise<void> {
  const client = await shell.connect();
  const id = await taskId(client, typed);
  const task = await client.call('getTask', { params: { id } });
  if (shell.format === 'json') {
    shell.json(task);
    return;
  }
  shell.print(renderFacts(facts(task, shell.nowMs()), shell.screen));
  if (!shell.screen.isTty || task.attempts.length === 0) return;
  shell.print(`\n${shell.screen.colors.bold('Attempts')}`);
  shell.print(renderTable(attemptColumns(shell.nowMs()), task.attempts, shell.screen));
}

function facts(task: TaskDetail, nowMs: number): Fact[] {
  const role = task.isSupervisor ? 'supervisor' : 'task';
  return [
    ['name', task.name],
    ['id', task.id],
    ['contract', task.contractId],
    ['role', `${role}, by ${task.agent}${task.model === null ? '' : ` (${task.model})`}`],
    ['status', task.status],
    ['session', sessionWords(task, nowMs)],
    ['attempt', String(task.attempt)],
    ['error', task.errorMessage],
    ['result', task.outputSummary],
    ['plan', task.plan],
    ['branch', task.branch],
    ['commit', task.commitSha],
    ['folder', task.worktreePath],
    ['needs', task.needs.join(', ')],
    ['created', `${ago(task.createdAt, nowMs)} ago`],
    ['took', tookOf(task.startedAt, task.finishedAt, nowMs)],
    ['used', spentWords(task.usage)],
    ['budget', budgetFact(task)],
  ];
}

function sessionWords({ session, resumeAt }: TaskDetail, nowMs: number): string | null {
  switch (session) {
    case 'live':
      return 'live: its agent has a process';
    case 'parked':
      return 'parked: it waits without a process, at no cost';
    case 'limited':
      return resumeAt === null
        ? 'limited: you decide whether it goes on (makima inbox)'
        : `limited: at its usage limit, goes on at ${until(resumeAt, nowMs)}`;
    case 'none':
      return null;
  }
}

function tookOf(startedAt: string | null, endedAt: string | null, nowMs: number): string | null {
  if (startedAt === null) return null;
  const endMs = endedAt === null ? nowMs : Date.parse(endedAt);
  return `${duration(Math.max(0, endMs - Date.parse(startedAt)))}${endedAt === null ? ' so far' : ''}`;
}

function attemptColumns(nowMs: number): readonly Column<Attempt>[] {
  return [
    { head: 'TRY', rigid: true, cell: (a) => String(a.attempt) },
    { head: 'STATE', cell: (a) => a.state },
    { head: 'DAEMON', cell: (a) => a.daemonId?.slice(0, 8) ?? '-', drop: 2 },
    { head: 'PID', rigid: true, cell: (a) => String(a.pid ?? '-'), drop: 1 },
    { head: 'TOOK', rigid: true, cell: (a) => tookOf(a.startedAt, a.endedAt, nowMs) ?? '-' },
    costColumn(3),
    { head: 'WHY', cell: (a) => a.reason ?? '' },
  ];
}
