// Holds the tally to its law: what did not load has failed.
import { describe, expect, it } from 'vitest';
import { tallyReport } from './test.ts';

describe('tallyReport', () => {
  it('counts tests', () => {
    const assertionResults = [{ status: 'passed' }, { status: 'failed' }];
    const testResults = [{ status: 'failed', assertionResults }];
    expect(tallyReport({ numPassedTests: 1, numFailedTests: 1, testResults })).toEqual({
      passed: 1,
      failed: 1,
    });
  });

  it('counts a file that could not be imported as one failure', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(tallyReport({ numPassedTests: 3, numFailedTests: 0, testResults })).toEqual({
      passed: 3,
      failed: 1,
    });
  });
});
