// The house rules that a machine can hold people to.
// Why: a rule worth saying twice is worth a test, with its reason in the message.
// Law: each rule is a function from a file to its violations, and knows nothing of the others.
import { isTestFile } from './floors.ts';
import { lineAt } from './source.ts';
import type { SourceFile, Tree, Violation } from './tree.ts';

type Rule = (file: SourceFile) => Violation[];

export const checkTidy = (tree: Tree): Violation[] => [
  ...tree.sources.flatMap((file) => sourceRules.flatMap((rule) => rule(file))),
  ...[...tree.sources, ...tree.others].flatMap((file) => machineTraces(file)),
  ...tree.others.flatMap(({ path }) => namedWithoutMeaning(path)),
];

const maxLines = 400;

const tooLong: Rule = ({ path, text }) => {
  const lines = text.split('\n').length - 1;
  if (lines <= maxLines) return [];
  const message = `${lines} lines, and ${maxLines} is the limit: a file is one idea`;
  return [{ path, line: maxLines + 1, rule: 'length', message }];
};

const emptyNames = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc']);

/** A name that says nothing collects everything. */
const namedWithoutMeaning = (path: string): Violation[] =>
  path
    .split(/[/.-]/)
    .filter((word) => emptyNames.has(word.toLowerCase()))
    .map((word) => ({
      path,
      line: 1,
      rule: 'name',
      message: `"${word}" says nothing about what is inside: name the idea`,
    }));

/** Rules are pure: time and chance come in as arguments, so that a test can choose them. */
const pureRooms = /^packages\/(?:domain|engine)\//;
const impureCalls =
  /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bMath\s*\.\s*random\b|\bprocess\s*\.\s*env\b/g;

const impure: Rule = (file) => {
  if (!pureRooms.test(file.path) || isTestFile(file.path)) return [];
  return matches(
    file.path,
    file.code,
    impureCalls,
    'pure',
    (found) => `${found} in a room that must be told the time, the chance and the settings`,
  );
};

const focused = /\b(?:it|test|describe)(?:\s*\.\s*\w+)*\s*\.\s*(?:only|skip|todo)\b/g;

const focusedTests: Rule = ({ path, code }) =>
  path.endsWith('.test.ts')
    ? matches(path, code, focused, 'focus', (found) => `${found}: every test runs, always`)
    : [];

const hook = /^(?:before|after)(?:Each|All)\s*\(/gm;

/** The modules of a worker are shared by its test files: such a hook would be of the first one only. */
const sharedHooks: Rule = ({ path, code }) =>
  path.endsWith('.test.ts')
    ? []
    : matches(
        path,
        code,
        hook,
        'hook',
        (found) => `${found}...) in a module that tests share: use onTestFinished`,
      );

const barrel: Rule = ({ path, code, withoutComments }) => {
  const named = /(?:^|\/)index\.tsx?$/.test(path);
  const rest = withoutComments
    .replace(/\bexport\b[^'";]*\bfrom\s*(['"])[^'"\n]+\1\s*;?/g, '')
    .trim();
  const onlyPassesOn = rest === '' && code.trim() !== '';
  if (!named && !onlyPassesOn) return [];
  return [
    { path, line: 1, rule: 'barrel', message: 'a barrel: an import names the file it means' },
  ];
};

const headless: Rule = ({ path, text }) => {
  const start = text.replace(/^#![^\n]*\n/, '').trimStart();
  if (start.startsWith('//') || start.startsWith('/*')) return [];
  const message = 'opens without a comment that says what it is, why, and its law';
  return [{ path, line: 1, rule: 'header', message }];
};

const promises = /\b(?:TODO|FIXME|XXX|HACK)\b|\bnot (?:yet )?implemented\b|\bfor now\b/gi;

const unfinished: Rule = (file) =>
  matches(
    file.path,
    file.comments,
    promises,
    'unfinished',
    (found) => `"${found}" in a comment: finish it or leave it out`,
  );

const sourceRules: readonly Rule[] = [
  tooLong,
  ({ path }) => namedWithoutMeaning(path),
  impure,
  focusedTests,
  sharedHooks,
  barrel,
  headless,
  unfinished,
];

/** Paths of one machine and hosts of registries: true today, for one person. */
const traces =
  /(?<![\w.])\/(?:root|work|Users|home\/(?!node\b|user\b|makima\b|ada\b)[a-z][\w-]*)\/[\w.-]+|\/\/registry\.[a-z][\w.-]*|\bregistry\.(?:npmjs|yarnpkg)\.\w+|\bpkg\.github\.com\b/g;

const machineTraces = (file: { path: string; text: string }): Violation[] =>
  matches(
    file.path,
    file.text,
    traces,
    'machine',
    (found) => `${found} is a path or a registry of one machine`,
  );

const matches = (
  path: string,
  text: string,
  pattern: RegExp,
  rule: string,
  describe: (found: string) => string,
): Violation[] =>
  [...text.matchAll(pattern)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    rule,
    message: describe(match[0]),
  }));
