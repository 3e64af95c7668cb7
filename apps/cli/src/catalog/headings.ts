/** Headings of the program's help, in their order. */
export const headings = {
  start: 'Start and follow:',
  answer: 'What needs you:',
  things: 'Things:',
  help: 'Help:',
} as const;
