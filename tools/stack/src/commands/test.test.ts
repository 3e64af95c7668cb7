// Holds the tally to its law: what did not load has failed.
import { describe, expect, it } from 'vitest';
import { slowUnitSuites } from '../slow-suites.ts';
import { tallyReport, vitestArguments } from './test.ts';

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

describe('vitestArguments', () => {
  it('passes on what is vitest’s, and leaves the slow suites out of the everyday run', () => {
    expect(vitestArguments(['packages/domain', '-t', 'x'])).toEqual(['packages/domain', '-t', 'x']);
    const everyday = vitestArguments(['--everyday', 'apps']);
    expect(everyday.slice(0, 2)).toEqual(['--project=unit', `--exclude=${slowUnitSuites[0]}`]);
    expect(everyday).toHaveLength(slowUnitSuites.length + 2);
  });
});
