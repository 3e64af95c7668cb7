// Racepoints of a house: named places in the code at which a process ends when its trap has been armed.
// Why: a kill at a random moment seldom falls between two statements; a trap always does.
// Law: a trap springs once for each arming, in the process that it was armed for; the file that arms it is gone then.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every place, by the kind of process that passes it. */
export const racepoints = {
  api: ['act.before_commit', 'act.after_commit'],
  'daemon-gateway': [
    'gateway.before_send',
    'gateway.after_send',
    'gateway.before_apply',
    'gateway.after_apply',
    'act.before_commit',
  ],
  scheduler: [
    'outbox.after_claim',
    'outbox.after_add',
    'spawn-task.before',
    'spawn-task.after',
    'act.before_commit',
    'act.after_commit',
  ],
  restorer: [
    'restore.step.1',
    'restore.step.2',
    'restore.step.3',
    'restore.claimed',
    'restore.planned',
    'restore.noticed',
    'restore.rearmed',
    'restore-supervisor.before',
    'restore-supervisor.after',
  ],
  daemon: [
    'daemon.command_taken',
    'daemon.before_agent',
    'daemon.after_agent',
    'daemon.before_end',
    'daemon.after_end',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type RaceProcess = keyof typeof racepoints;

export interface Race {
  /** The environment in which a process knows its traps. */
  within(process: string, environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv;
  arm(process: string, point: string): void;
  /** Whether an armed trap has sprung. */
  sprung(process: string, point: string): boolean;
  disarmAll(): void;
}

export function raceIn(dir: string): Race {
  const fileOf = (process: string, point: string): string => join(dir, process, point);
  const armed = new Set<string>();
  return {
    within(process, environment) {
      const points = pointsOf(process);
      if (points.length === 0) return { ...environment };
      mkdirSync(join(dir, process), { recursive: true });
      const traps = points.map((point) => `${point}=crash:${fileOf(process, point)}`);
      return { ...environment, MAKIMA_RACE: traps.join(';') };
    },
    arm(process, point) {
      armed.add(fileOf(process, point));
      writeFileSync(fileOf(process, point), '');
    },
    sprung: (process, point) =>
      armed.has(fileOf(process, point)) && !existsSync(fileOf(process, point)),
    disarmAll() {
      for (const file of armed) {
        if (!existsSync(file)) continue;
        armed.delete(file);
        rmSync(file, { force: true });
      }
    },
  };
}

/** A replica passes what its service passes. */
function pointsOf(process: string): readonly string[] {
  const kind = process.replace(/-\d+$/, '');
  return kind in racepoints ? racepoints[kind as RaceProcess] : [];
}
