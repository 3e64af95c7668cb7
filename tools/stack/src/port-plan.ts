// Which port each process gets.
// Why: an address that people noted down stays the same from start to start, while it is free.
// Law: the port used last, else the usual one, else the next free one, and then it is told.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { anyFreePort, freePortFrom } from './ports.ts';

export interface PortWish {
  name: string;
  preferred: number;
}

export interface PortPlanOptions {
  /** `preferred` for people, `random` for tests that run beside each other. */
  mode: 'preferred' | 'random';
  onMoved: (name: string, preferred: number, port: number) => void;
}

export const planPorts = async (
  home: Home,
  wishes: readonly PortWish[],
  { mode, onMoved }: PortPlanOptions,
): Promise<Map<string, number>> => {
  const plan = new Map<string, number>();
  const before = mode === 'preferred' ? readPlan(home) : {};
  const wished = wishes.map(({ name, preferred }) => before[name] ?? preferred);
  for (const [index, { name, preferred }] of wishes.entries()) {
    // Nobody moves to a port that another one of us wishes for.
    const others = new Set([...plan.values(), ...wished.filter((_, other) => other !== index)]);
    const port =
      mode === 'preferred'
        ? await freePortFrom(wished[index]!, others)
        : await anyFreePort(new Set(plan.values()));
    if (mode === 'preferred' && port !== preferred) onMoved(name, preferred, port);
    plan.set(name, port);
  }
  writeFileSync(planFile(home), JSON.stringify(Object.fromEntries(plan)), { mode: 0o600 });
  return plan;
};

const planFile = (home: Home): string => join(home.run, 'ports.json');

const readPlan = (home: Home): Record<string, number> => {
  try {
    return JSON.parse(readFileSync(planFile(home), 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
};
