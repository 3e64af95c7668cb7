/** `events.md`: every type of event, and the files that emit it. */
import { z } from 'zod';
import { eventTypes, zEvent } from '@makima/contracts/entity/event';
import { readSource, sourcesBelow } from '../checkout.ts';
import { code, codes, page, table } from '../markdown.ts';
import { fieldsOf, typeText, type Schema } from '../type-text.ts';

const engine = 'packages/engine/src';

export function eventsPage(): string {
  // What is shown there was emitted elsewhere.
  const verbs = sourcesBelow(engine).filter((path) => !path.startsWith(`${engine}/present/`));
  const sources = verbs.map((path) => ({ path, text: readSource(path) }));
  const emitters = (type: string): string[] =>
    sources
      .filter(({ text }) => emits(text, type))
      .map(({ path }) => path.slice(engine.length + 1).replace(/\.ts$/, ''));
  const schema = z.toJSONSchema(zEvent, { io: 'output', unrepresentable: 'any' }) as Schema;
  return page(
    'Events',
    ['packages/contracts/src/entity/event.ts', engine],
    [
      'A fact, written in the transaction that made it true. Within a contract events have gapless numbers (`seq`); read them with `GET /api/v1/events` (pages, long poll or server-sent events) or `makima events --follow`. `data` holds ids and small facts, never output and never secrets.',
      table(
        ['field', 'type'],
        fieldsOf(schema).map((field) => [code(field.name), fieldType(field.name, field.schema)]),
      ),
      table(
        ['type', 'emitted by (engine)'],
        eventTypes.map((type) => [code(type), codes(emitters(type)) || 'no verb']),
      ),
    ],
  );
}

/** Names it, and not as the kind of a report that it takes apart. */
function emits(text: string, type: string): boolean {
  return text.replaceAll(`case '${type}'`, '').includes(`'${type}'`);
}

function fieldType(name: string, schema: Schema): string {
  return name === 'type' ? 'one of those below' : typeText(schema);
}
