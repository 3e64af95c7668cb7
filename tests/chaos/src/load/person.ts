// A person who answers whatever is open, as soon as the API lets them.
import type { House } from '../house/house.ts';
import { pause } from '../pause.ts';
import type { Operations } from './operations.ts';

/** In the name of a contract whose questions nobody answers. */
export const leftAlone = 'left-alone';

export async function answerUntil(
  signal: AbortSignal,
  { client }: House,
  operations: Operations,
): Promise<void> {
  const answerOpen = async (): Promise<void> => {
    const { items } = await client.call('listQuestions', {
      query: { status: 'open', limit: 100 },
      timeoutMs: 10_000,
      tries: 1,
    });
    for (const { id, choices, question } of items) {
      if (question.includes(leftAlone)) continue;
      const response = choices[0] ?? 'yes';
      await client.call('answerQuestion', {
        params: { id },
        body: { response },
        timeoutMs: 10_000,
      });
      operations.questionAnswered(id, response);
    }
  };
  const over = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  while (!signal.aborted) {
    // A call that is still under way when the run is over is nobody's any more.
    await Promise.race([answerOpen().catch(() => {}), over]);
    await pause(250, signal);
  }
}
