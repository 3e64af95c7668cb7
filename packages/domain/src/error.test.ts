/** The one error class. */
import { expect, it } from 'vitest';
import { MakimaError, errorCodes, isMakimaError } from './error.ts';

it('carries code, details, fix and cause', () => {
  const cause = new Error('disk');
  const error = new MakimaError('NOT_FOUND', 'No such task.', {
    details: { id: 't1' },
    fix: 'makima contracts list',
    retryable: true,
    cause,
  });
  expect(error).toMatchObject({
    name: 'MakimaError',
    code: 'NOT_FOUND',
    message: 'No such task.',
    details: { id: 't1' },
    fix: 'makima contracts list',
    retryable: true,
    cause,
  });
  expect(isMakimaError(error)).toBe(true);
  expect(isMakimaError(cause)).toBe(false);
});

it('is not retryable and has no details unless told so', () => {
  const error = new MakimaError('INTERNAL', 'Something went wrong.');
  expect(error).toMatchObject({ details: {}, fix: undefined, retryable: false });
  expect('cause' in error).toBe(false);
});

it('has each code once', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
});
