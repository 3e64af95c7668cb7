/** Handlers of what watches over all contracts. */
import type { Handlers } from '../mount.ts';
import { monitorPage } from '../monitor/stream.ts';

export const monitoringHandlers = {
  monitorContracts: ({ api, c, input }) => monitorPage(c, api, input),
} satisfies Partial<Handlers>;
