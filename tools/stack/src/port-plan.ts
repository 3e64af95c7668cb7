// Which port each process gets.
// Why: an address that people noted down stays the same from start to start, while it is free.
// Law: the port used last, else the usual one; when that is taken the next free one, and then it is told.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { reserveAnyPort, reservePortFrom, type Reservation } from './ports.ts';

export interface PortWish {
  name: string;
  preferred: number;
}

export interface PortPlanOptions {
  /** `preferred` for people, `random` for tests that run beside each other. */
  mode: 'preferred' | 'random';
  /** Called once with every port that was taken. */
  onMoved: (moves: readonly PortMove[]) => void;
}

export interface PortMove {
  name: string;
  taken: number;
  port: number;
}

export interface PlannedPorts {
  ports: Map<string, number>;
  /** Lets other stacks have them. */
  release: () => void;
}

export const planPorts = async (
  home: Home,
  wishes: readonly PortWish[],
  { mode, onMoved }: PortPlanOptions,
): Promise<PlannedPorts> => {
  const ports = new Map<string, number>();
  const reservations: Reservation[] = [];
  const before = mode === 'preferred' ? readPlan(home) : {};
  const wished = wishes.map(({ name, preferred }) => before[name] ?? preferred);
  const moves: PortMove[] = [];
  for (const [index, { name }] of wishes.entries()) {
    if (mode === 'random') {
      const any = await reserveAnyPort(new Set(ports.values()));
      reservations.push(any);
      ports.set(name, any.port);
      continue;
    }
    // Nobody moves to a port that another one of us wishes for.
    const others = new Set([...ports.values(), ...wished.filter((_, other) => other !== index)]);
    const taken = wished[index]!;
    const reservation = await reservePortFrom(taken, others);
    reservations.push(reservation);
    ports.set(name, reservation.port);
    if (reservation.port !== taken) moves.push({ name, taken, port: reservation.port });
  }
  if (moves.length > 0) onMoved(moves);
  writeFileSync(planFile(home), JSON.stringify(Object.fromEntries(ports)), { mode: 0o600 });
  return { ports, release: () => reservations.forEach(({ release }) => release()) };
};

/** What people are told: one line, however many ports were taken. */
export const movesInWords = (moves: readonly PortMove[]): string => {
  const [first, ...more] = moves;
  if (first === undefined) return '';
  const begin = more.length === 0 ? `port ${first.taken} is taken` : 'usual ports are taken';
  const rest = more.map(({ name, port }) => `, ${name} on ${port}`).join('');
  return `${begin}: ${first.name} listens on ${first.port}${rest}`;
};

const planFile = (home: Home): string => join(home.run, 'ports.json');

const readPlan = (home: Home): Record<string, number> => {
  try {
    return JSON.parse(readFileSync(planFile(home), 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
};
