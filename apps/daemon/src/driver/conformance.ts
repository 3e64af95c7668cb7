/**
 * What every driver must do, as one suite: the same cases with real processes for each kind of agent.
 *
 * Law: a case speaks of deeds, never of kinds. What a kind cannot do it says in its `caps`, and the case then
 * asserts just that; nothing is skipped in silence.
 */
import { afterAll, describe } from 'vitest';
import { askingCases } from './conformance-asking.ts';
import { endingCases } from './conformance-ending.ts';
import { failureCases } from './conformance-failures.ts';
import { rowOf } from './conformance-row.ts';
import type { Candidate } from './conformance-stage.ts';
import { talkCases } from './conformance-talk.ts';
import { workCases } from './conformance-work.ts';

export function driverConformance(candidate: Candidate): void {
  describe(`${candidate.name} driver`, () => {
    const row = rowOf(candidate);
    afterAll(row.close);
    describe('does its work', () => workCases(candidate, row));
    describe('is spoken to', () => talkCases(candidate, row));
    describe('must ask', () => askingCases(candidate));
    describe('ends and goes on', () => endingCases(candidate));
    describe('fails in the open', () => failureCases(candidate));
  });
}
