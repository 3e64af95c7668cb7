/** Shapes of supervisors on the wire (seeds 002 and 004). */
import { z } from 'zod';

export const zRestorationInfo = z.object({
  /** Its state before it went away. */
  previousState: z.string(),
  /** This time included. */
  restorationCount: z.int(),
  pendingQuestionsCount: z.int(),
  waitingTasksCount: z.int(),
  spawnedTasksCount: z.int(),
  warnings: z.array(z.string()),
});
export type RestorationInfo = z.infer<typeof zRestorationInfo>;
