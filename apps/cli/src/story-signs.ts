/** Glyph, word and colour of each kind of event. Law: every kind has one; colour is never the only sign. */
import type { EventType } from '@makima/contracts/entity/event';

export type Hue = 'green' | 'yellow' | 'red' | 'magenta' | 'blue' | 'gray' | 'plain';

export interface Sign {
  readonly glyph: string;
  /** At most ten characters. */
  readonly word: string;
  readonly hue: Hue;
}

const sign = (glyph: string, word: string, hue: Hue): Sign => ({ glyph, word, hue });

export const signs: Readonly<Record<EventType, Sign>> = {
  'contract.created': sign('+', 'contract', 'plain'),
  'contract.updated': sign('*', 'changed', 'gray'),
  'contract.started': sign('>', 'begin', 'green'),
  'contract.status_changed': sign('*', 'status', 'plain'),
  'contract.phase_changed': sign('>', 'phase', 'green'),
  'contract.guard_refused': sign('!', 'guard', 'yellow'),
  'contract.ready': sign('v', 'ready', 'blue'),
  'contract.completed': sign('v', 'completed', 'green'),
  'contract.failed': sign('x', 'failed', 'red'),
  'contract.deleted': sign('-', 'deleted', 'gray'),
  'repository.added': sign('+', 'repository', 'plain'),
  'repository.removed': sign('-', 'repository', 'gray'),
  'repository.trusted': sign('!', 'trusted', 'yellow'),
  'repository.distrusted': sign('-', 'distrusted', 'gray'),
  'deliverable.completed': sign('v', 'delivered', 'blue'),
  'deliverable.staled': sign('?', 'stale', 'yellow'),
  'directive.created': sign('+', 'directive', 'plain'),
  'directive.updated': sign('*', 'directive', 'gray'),
  'order.placed': sign('!', 'order', 'yellow'),
  'order.accepted': sign('v', 'accepted', 'green'),
  'order.dismissed': sign('-', 'dismissed', 'gray'),
  'task.spawned': sign('+', 'task', 'plain'),
  'task.assigned': sign('.', 'assigned', 'gray'),
  'task.unassigned': sign('.', 'unassigned', 'gray'),
  'task.started': sign('>', 'started', 'green'),
  'task.completed': sign('v', 'done', 'blue'),
  'task.failed': sign('x', 'failed', 'red'),
  'task.interrupted': sign('?', 'interrupt', 'yellow'),
  'task.cancelled': sign('x', 'cancelled', 'gray'),
  'task.retried': sign('>', 'again', 'yellow'),
  'task.limited': sign('~', 'limited', 'magenta'),
  'task.action_failed': sign('!', 'not so', 'yellow'),
  'task.merged': sign('v', 'merged', 'green'),
  'task.late': sign('~', 'late', 'gray'),
  'task.kept': sign('+', 'kept', 'gray'),
  'attempt.lost': sign('x', 'lost', 'red'),
  'supervisor.state_changed': sign('*', 'supervisor', 'gray'),
  'supervisor.resumed': sign('>', 'resumed', 'green'),
  'supervisor.restored': sign('v', 'restored', 'green'),
  'supervisor.parked': sign('=', 'parked', 'gray'),
  'supervisor.woken': sign('>', 'woken', 'green'),
  'supervisor.blocked': sign('x', 'blocked', 'red'),
  'supervisor.saved': sign('+', 'saved', 'gray'),
  'wait.started': sign('.', 'waits', 'gray'),
  'wait.satisfied': sign('v', 'wait over', 'gray'),
  'wait.timed_out': sign('?', 'wait over', 'yellow'),
  'question.asked': sign('!', 'question', 'yellow'),
  'question.answered': sign('v', 'answered', 'green'),
  'question.held': sign('=', 'held', 'yellow'),
  'question.cancelled': sign('-', 'withdrawn', 'gray'),
  'question.redelivered': sign('!', 'question', 'yellow'),
  'message.sent': sign('>', 'message', 'gray'),
  'message.delivered': sign('v', 'delivered', 'gray'),
  'message.refused': sign('-', 'unread', 'yellow'),
  'checkpoint.created': sign('+', 'checkpoint', 'blue'),
  'operation.requested': sign('.', 'git', 'gray'),
  'pr.opened': sign('>', 'pr', 'green'),
  'operation.finished': sign('v', 'git', 'gray'),
  'daemon.enrolled': sign('+', 'daemon', 'plain'),
  'daemon.connected': sign('>', 'daemon', 'green'),
  'daemon.disconnected': sign('?', 'daemon', 'yellow'),
  'daemon.lost': sign('x', 'daemon', 'red'),
  'key.created': sign('+', 'key', 'gray'),
  'webhook.created': sign('+', 'webhook', 'gray'),
  'webhook.changed': sign('=', 'webhook', 'gray'),
  'webhook.deleted': sign('-', 'webhook', 'gray'),
  'webhook.quarantined': sign('x', 'set aside', 'red'),
  'key.revoked': sign('-', 'key', 'gray'),
};
