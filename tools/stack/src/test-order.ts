// In which order a test run takes its files: the slow suites first, longest first.
// Why: vitest goes by the size of a file where it has no times of an earlier run, and size says little.
// Law: groups keep their order; all that is not on the list follows as vitest would have it.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { checkout } from './checkout.ts';
import { slowSuites } from './slow-suites.ts';

const places = new Map(slowSuites.map((path, place) => [path, place]));

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const placeOf = ({ moduleId }: TestSpecification): number =>
      places.get(relative(checkout, moduleId)) ?? slowSuites.length;
    return usual.toSorted((a, b) => groupOf(a) - groupOf(b) || placeOf(a) - placeOf(b));
  }
}
