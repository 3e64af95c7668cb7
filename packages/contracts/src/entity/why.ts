/** The answer to "why is it not moving?" (M8.10): typed blockers, since when, who can act, and the act. */
import { z } from 'zod';
import { zId, zTime } from '../ids.ts';

export const zBlocker = z.object({
  /** guard, question, dependency, capacity, no_daemon, limit, budget, lease, machine_offline, gate, pause, … */
  kind: z.string(),
  reason: z.string(),
  since: zTime.nullable(),
  /** person, supervisor, daemon, system. */
  whoCanAct: z.string(),
  /** The command or call that removes it. */
  act: z.string().nullable(),
  taskId: zId.nullable(),
  questionId: zId.nullable(),
});

export const zWhy = z.object({
  id: zId,
  kind: z.enum(['contract', 'task']),
  status: z.string(),
  moving: z.boolean(),
  summary: z.string(),
  blockers: z.array(zBlocker),
});
export type Why = z.infer<typeof zWhy>;
