/** How all contracts of an owner stand, in the names of seed 004. */
import { z } from 'zod';
import { attentions } from '@makima/domain/attention-rank';
import { zId, zTime } from '../ids.ts';
import { zMonitorEvent } from './monitor.ts';

const about = {
  id: zId,
  slug: z.string(),
  name: z.string(),
  phase: z.string(),
  /** As in every list; what needs a person comes first. */
  attention: z.enum(attentions),
};

export const zDashboard = z.object({
  statusCounts: z.record(z.string(), z.int()),
  /** Of active contracts. */
  phaseCounts: z.record(z.string(), z.int()),
  /** The longest first; at most 50. */
  staleContracts: z.array(z.object({ ...about, lastActivity: zTime, staleDurationSecs: z.int() })),
  /** The longest first; at most 50. */
  waitingForInput: z.array(
    z.object({
      ...about,
      waitingFor: z.string(),
      waitingSince: zTime,
      question: z.string().nullable(),
    }),
  ),
  /** Newest first; at most 20. */
  recentEvents: z.array(zMonitorEvent),
  resourceUsage: z.object({
    activeSupervisors: z.int(),
    runningTasks: z.int(),
    pendingTasks: z.int(),
    activeDaemons: z.int(),
    /** Working directories of tasks that have begun and not ended. */
    totalWorktrees: z.int(),
  }),
});
export type Dashboard = z.infer<typeof zDashboard>;
