/** Commands of contract types. */
import { headings } from './headings.ts';
import { wholeNumber, type CommandSpec, type GroupSpec } from './spec.ts';

export const typesGroup: GroupSpec = {
  name: 'types',
  alias: 'type',
  summary: 'Contract types: phases, what they owe, how they are left',
  example: 'makima types list',
  heading: headings.things,
};

export const typeCommands: readonly CommandSpec[] = [
  {
    path: 'types list',
    summary: 'Contract types, those that come with makima first',
    examples: ['makima types list'],
    load: () => import('../commands/types-list.ts'),
  },
  {
    path: 'types show',
    args: [['<type>', 'its name']],
    summary: 'One type: phases, deliverables, gates; as JSON it can be changed and put again',
    examples: ['makima types show specification', 'makima types show careful -o json'],
    options: [
      {
        flags: '--at <version>',
        text: 'an earlier version (default: the newest)',
        parse: wholeNumber(1),
      },
    ],
    load: () => import('../commands/types-show.ts'),
  },
  {
    path: 'types put',
    args: [['<file>', "a JSON file with name and phases; '-' reads it from stdin"]],
    summary: 'Define a type, or its next version',
    text: `Contracts that run keep the version that they began with. A phase has a name, deliverables
({id, name, required}) and a gate: tasks (none, settled, all_complete, {"atLeast": 2},
{"named": ["build"]}), validator (a program and its arguments, run at the branch's commit; its
exit code is the verdict), autoAdvance. The last phase is the end.`,
    examples: ['makima types put careful.json', 'makima types put careful.json --check'],
    options: [{ flags: '--check', text: 'only say whether it is right' }],
    load: () => import('../commands/types-put.ts'),
  },
];
