/**
 * Links and named files in documents that lead nowhere.
 *
 * Why: a page that names a file is right until the file is moved; then a test says so, not a reader.
 * Law: a name in backticks counts as a file when it begins with a folder of the checkout and is no pattern.
 */
import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { existing, readSource, root } from './checkout.ts';

const folders = readdirSync(root, { withFileTypes: true })
  .filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules',
  )
  .map(({ name }) => name);

const namedFile = new RegExp(`\`((?:${folders.join('|')})/[^\`\\s]*)\``, 'g');

/** One sentence for each. */
export function brokenLinks(page: string): string[] {
  const text = readSource(page);
  const linked = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => posix.join(posix.dirname(page), target));
  const inCode = [...text.matchAll(namedFile)].map(([, name = '']) => name);
  return [...new Set([...linked, ...inCode])]
    .filter((target) => !/[<>*{}]/.test(target))
    .filter((target) => existing(target.replace(/\/$/, '')) === undefined)
    .map((target) => `${page} names ${target}, which does not exist`);
}
