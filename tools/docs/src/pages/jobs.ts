/** `jobs.md`: the catalog of BullMQ jobs. */
import { z } from 'zod';
import { jobNames, jobs } from '@makima/contracts/jobs';
import { existing, readSource } from '../checkout.ts';
import { fieldComments } from '../comments.ts';
import { code, page, table } from '../markdown.ts';
import { fieldsOf, type Schema } from '../type-text.ts';

const catalog = 'packages/contracts/src/jobs.ts';

export function jobsPage(): string {
  const meanings = fieldComments(readSource(catalog));
  return page(
    'Jobs',
    [catalog],
    [
      'A job is a ticket to look at the truth in Postgres, never a run of an agent. It may come twice, late or never; sweeps do the same work. Queue, job and handler file have one name. A failed job waits `backoff`, doubled each time and with jitter; after its last attempt it is set aside, and the reconciler issues a new ticket when the work is still due.',
      table(
        ['queue', 'what', 'service', 'attempts', 'concurrency', 'backoff (ms)', 'payload'],
        jobNames.map((name) => {
          const { service, attempts, concurrency, backoffMs, payload } = jobs[name];
          return [
            code(name),
            meanings.get(name) ?? '',
            handlerOf(service, name),
            attempts,
            concurrency,
            backoffMs,
            payloadOf(payload),
          ];
        }),
      ),
    ],
  );
}

/** The service; its handler file has the job's name, or the page cannot be made. */
function handlerOf(service: string, name: string): string {
  const file = `services/${service}/src/jobs/${name}.ts`;
  if (existing(file) === undefined) throw new Error(`job ${name} has no handler ${file}`);
  return service;
}

function payloadOf(payload: z.ZodType): string {
  const schema = z.toJSONSchema(payload, { io: 'input' }) as Schema;
  return fieldsOf(schema)
    .map(({ name }) => name)
    .filter((name) => name !== 'v')
    .join(', ');
}
