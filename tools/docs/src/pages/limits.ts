/** `limits.md`: every limit with its unit. */
import { limits } from '@makima/domain/limits';
import { wireLimits } from '@makima/contracts/limits';
import { readSource } from '../checkout.ts';
import { fieldComments } from '../comments.ts';
import { code, grouped, page, table } from '../markdown.ts';

const wire = 'packages/contracts/src/limits.ts';

export function limitsPage(): string {
  const meanings = fieldComments(readSource(wire));
  return page(
    'Limits',
    ['packages/domain/src/limits.ts', wire],
    [
      'Over a limit is an answer with a code (`PAYLOAD_TOO_LARGE`, `RATE_LIMITED`, `LIMIT_EXCEEDED`, `VALIDATION_FAILED`), never a silent cut. The unit stands in the name.',
      '## Of the installation',
      'Other values: `MAKIMA_LIMITS=name=value,name=value`, the same for every service.',
      table(
        ['limit', 'default', ''],
        Object.entries(limits).map(([name, value]) => [
          code(name),
          grouped(value),
          inUnits(name, value),
        ]),
      ),
      '## Of the wire',
      'Agreed between both ends, so not to be set.',
      table(
        ['limit', 'value', '', 'what'],
        Object.entries(wireLimits).map(([name, value]) => [
          code(name),
          grouped(value),
          inUnits(name, value),
          meanings.get(name) ?? '',
        ]),
      ),
    ],
  );
}

/** Bytes as KiB or MiB, milliseconds as minutes, where that is a whole number. */
function inUnits(name: string, value: number): string {
  if (name.endsWith('Bytes') && value >= 1024) {
    const mebi = value / 1024 ** 2;
    return Number.isInteger(mebi) ? `${mebi} MiB` : `${value / 1024} KiB`;
  }
  return name.endsWith('Ms') ? `${value / 60_000} min` : '';
}
