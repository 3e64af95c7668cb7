/**
 * How the agent reads its mail, in turns and between them.
 *
 * Law: a restoration notice is answered at once and never reaches the script's own waiting for messages.
 */
import type { Host } from './host.ts';
import { isRestoration, type Letter } from './mailbox.ts';
import { stepId } from './progress.ts';

/** Reads the mail; a digest is only noted: the script's own calls bring what it tells. */
export function readMail(host: Host, when = { between: false }): readonly Letter[] {
  const { letters, notices } = host.mailbox.read(when);
  for (const letter of letters) host.ledger.note('message', { id: letter.id });
  for (const notice of notices) {
    if (!isRestoration(notice)) {
      host.ledger.note('woken', { id: notice.id });
      continue;
    }
    const restored = host.mailbox.restored();
    host.variables.restored = restored;
    host.ledger.note('restored', { id: notice.id, count: restored?.count });
    sayLine(
      host,
      `notice/${notice.id}`,
      `Restored (attempt ${host.start.attempt}): going on where I was.`,
    );
  }
  return letters;
}

/** Says something that no step of the script says. */
export function sayLine(host: Host, key: string, text: string): void {
  const messageId = stepId('msg', host.start.sessionId, key);
  host.ledger.note('line', { key, text: text.slice(0, 500) });
  host.conversation.append({ t: 'said', text });
  host.emit({ t: 'text', messageId, text, delta: false, thinking: false, parentTool: null });
}
