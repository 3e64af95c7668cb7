// What the demo says: its own lines, and the events of the contract as a story.
// Law: everything goes to standard error, so that the JSON line stands alone on standard output.
import pc from 'picocolors';
import { wantsColor } from '@makima/cli/io';
import { storyContext, storyLine } from '@makima/cli/story';
import type { Event } from '@makima/contracts/entity/event';

const quiet: ReadonlySet<Event['type']> = new Set([
  'supervisor.saved',
  'message.sent',
  'operation.requested',
  'contract.created',
  'wait.satisfied',
]);

export function screenOf(stream: NodeJS.WriteStream) {
  const context = storyContext(
    {
      colors: pc.createColors(wantsColor(process.env, stream.isTTY)),
      columns: stream.isTTY ? stream.columns : Number.POSITIVE_INFINITY,
      ellipsis: '...',
    },
    { showContract: false },
  );
  return {
    say: (line: string): void => void stream.write(`${line}\n`),
    tell: (event: Event): void => {
      if (!quiet.has(event.type)) stream.write(`${storyLine(event, context)}\n`);
    },
  };
}
