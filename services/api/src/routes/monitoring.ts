/** Handlers of what watches over all contracts. */
import { readDashboard } from '@makima/engine/contract/dashboard';
import { sessionOf } from '../auth.ts';
import type { Handlers } from '../mount.ts';
import { requireMonitoring } from '../monitor/flag.ts';
import { monitorPage } from '../monitor/stream.ts';
import { giveTicket } from '../monitor/ticket.ts';

export const monitoringHandlers = {
  monitorContracts: ({ api, c, input }) => monitorPage(c, api, input),
  createMonitorTicket: async ({ api, c }) => {
    requireMonitoring(api.engine);
    return { result: await giveTicket(api, sessionOf(c)) };
  },
  contractsDashboard: async ({ engine, caller }) => {
    requireMonitoring(engine);
    return { result: await readDashboard(engine, caller) };
  },
} satisfies Partial<Handlers>;
