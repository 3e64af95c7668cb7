// The rows of the torture table by their names.
import { fleetRows } from './fleet.ts';
import { grid } from './grid.ts';
import { mixRows } from './mixes.ts';
import type { Row } from './row.ts';
import { gatewayRows } from './stories/gateways.ts';
import { poisonRows } from './stories/poison.ts';
import { raceRows } from './stories/races.ts';

export const rows: Readonly<Record<string, Row>> = {
  ...mixRows,
  ...fleetRows,
  ...gatewayRows,
  ...raceRows,
  ...poisonRows,
  grid,
};

export const rowNames = Object.keys(rows).toSorted();
export const isRowName = (text: string): boolean => Object.hasOwn(rows, text);
