/** `problems.md`: every error code, its status, what it means and what to do. */
import { exitCodeOf } from '@makima/cli/exit-code';
import { problemMeanings } from '@makima/contracts/problem-meanings';
import { problemStatus } from '@makima/contracts/problem';
import { errorCodes, MakimaError } from '@makima/domain/error';
import { code, page, table } from '../markdown.ts';

export function problemsPage(): string {
  const sorted = errorCodes.toSorted(
    (a, b) => problemStatus[a] - problemStatus[b] || a.localeCompare(b, 'en'),
  );
  return page(
    'Problems',
    [
      'packages/domain/src/error.ts',
      'packages/contracts/src/problem.ts',
      'packages/contracts/src/problem-meanings.ts',
      'apps/cli/src/exit-code.ts',
    ],
    [
      'Every error has one of these codes, whichever door it leaves by: problem+json over HTTP, an error result of a tool, a refusal on the socket, an exit code of the command line. Beside the code it carries a message, `retryable`, a `fix`, and a `requestId` that stands in the log. The API shows this page at `/reference/problems`.',
      table(
        ['code', 'status', 'exit', 'means', 'do'],
        sorted.map((name) => [
          code(name),
          problemStatus[name],
          exitCodeOf(new MakimaError(name, '')),
          problemMeanings[name].means,
          problemMeanings[name].act,
        ]),
      ),
    ],
  );
}
