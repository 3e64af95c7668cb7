/** The table of limits. */
import { expect, it } from 'vitest';
import { limits } from './limits.ts';

it('holds positive whole numbers whose names carry a unit or a bound', () => {
  for (const [name, value] of Object.entries(limits)) {
    expect(Number.isInteger(value) && value > 0, name).toBe(true);
    expect(name).toMatch(/(Bytes|Max|Depth|Items|Task|Ms)$/);
  }
});

it('keeps the defaults that the documents promise', () => {
  expect(limits).toMatchObject({
    tasksPerContractMax: 200,
    openQuestionsPerContractMax: 50,
    openChildrenPerSupervisorMax: 20,
    spawnsPerContractPerMinuteMax: 30,
    requestsPerKeyPerMinuteMax: 300,
    failedAuthPerAddressPerMinuteMax: 10,
    planMaxBytes: 262_144,
    readFileMaxBytes: 1_048_576,
    restorationsPerWindowMax: 5,
    restorationWindowMs: 900_000,
  });
});
