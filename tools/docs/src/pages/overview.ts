/** `README.md` of the reference: what stands on which page. */
import { code, page, table } from '../markdown.ts';

export function overviewPage(titles: readonly (readonly [file: string, about: string])[]): string {
  return page(
    'Reference',
    ['the code'],
    [
      'Nothing here is written by hand, and a test fails when it differs from the code.',
      table(
        ['page', 'what'],
        titles.map(([file, about]) => [`[${code(file)}](${file})`, about]),
      ),
    ],
  );
}
