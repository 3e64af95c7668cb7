/** `requirements.md`: what tests were asked for, and which hold it. */
import { code, page, table } from '../markdown.ts';
import { missingHolders, requirements } from '../requirements.ts';

export function requirementsPage(): string {
  const missing = missingHolders(requirements);
  if (missing.length > 0) {
    const [{ file, title }] = missing as [(typeof missing)[0]];
    throw new Error(`${file} has no test "${title}", and tools/docs/src/requirements.ts names it`);
  }
  const tasks = [...new Set(requirements.map(({ task }) => task))];
  return page(
    'Asked tests',
    ['tools/docs/src/requirements.ts'],
    [
      'The tests that phases 1 (contracts), 2 (gates and completion) and 5 (monitoring) were asked to have, in the words of the one who asked, each with the tests that hold it by file and title. The page cannot be made when one of them is not there.',
      ...tasks.flatMap((task) => [
        `## ${task}`,
        table(
          ['asked', 'held by'],
          requirements
            .filter((row) => row.task === task)
            .map(({ words, holders }) => [
              words,
              holders.map(({ file, title }) => `${code(file)}: ${title}`).join('<br>'),
            ]),
        ),
      ]),
    ],
  );
}
