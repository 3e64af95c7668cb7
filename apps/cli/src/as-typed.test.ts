/** Commands as they have to be typed where the program was called. */
import type { WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { asTyped } from './as-typed.ts';
import { commandWords } from './program.ts';

const on = (isTTY: boolean): WriteStream => ({ isTTY }) as WriteStream;
const io = { env: { MAKIMA_COMMAND: './makima' }, commands: commandWords };

describe('asTyped', () => {
  it.each([
    ['makima answer 01 2', './makima answer 01 2'],
    ['  makima contracts list', '  ./makima contracts list'],
    ['\u001b[36mmakima why fix\u001b[39m', '\u001b[36m./makima why fix\u001b[39m'],
    [
      'Back to it: makima watch fix\nor makima inbox',
      'Back to it: ./makima watch fix\nor ./makima inbox',
    ],
    ['no makima server is running here', 'no makima server is running here'],
    ['./makima up', './makima up'],
    ['the branch makima/run of it', 'the branch makima/run of it'],
  ])('%j', (text, typed) => {
    expect(asTyped(io, on(true), text)).toBe(typed);
  });

  it('leaves texts alone where nobody looks, and where it is on the PATH', () => {
    expect(asTyped(io, on(false), 'makima inbox')).toBe('makima inbox');
    expect(asTyped({ ...io, env: {} }, on(true), 'makima inbox')).toBe('makima inbox');
  });
});
