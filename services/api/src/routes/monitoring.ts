/** Handlers of what watches over all contracts. */
import { readDashboard } from '@makima/engine/contract/dashboard';
import type { Handlers } from '../mount.ts';
import { requireMonitoring } from '../monitor/flag.ts';
import { monitorPage } from '../monitor/stream.ts';

export const monitoringHandlers = {
  monitorContracts: ({ api, c, input }) => monitorPage(c, api, input),
  contractsDashboard: async ({ engine, caller }) => {
    requireMonitoring(engine);
    return { result: await readDashboard(engine, caller) };
  },
} satisfies Partial<Handlers>;
