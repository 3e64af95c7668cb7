/** `tools.md`: the tools that agents have over MCP. */
import { z } from 'zod';
import { tools } from '@makima/api/mcp-tools/all';
import { code, page, table } from '../markdown.ts';
import { fieldsOf, typeText, type Schema } from '../type-text.ts';

export function toolsPage(): string {
  return page(
    'Tools of agents',
    ['services/api/src/mcp-tools/'],
    [
      'An agent reaches them through the MCP endpoint that its daemon opens for its run; a person through `/mcp` with their own key. A call is made once per tool use: the same use again answers what it answered.',
      table(
        ['tool', 'agents', 'people', 'effect', 'what'],
        tools.map((tool) => [
          code(tool.name),
          tool.agents,
          tool.people === 'too' ? 'yes' : '',
          tool.effect,
          tool.title,
        ]),
      ),
      ...tools.map((tool) =>
        [`## ${tool.name}`, '', tool.description, '', ...inputLines(tool.input)].join('\n').trim(),
      ),
    ],
  );
}

function inputLines(input: z.ZodType): string[] {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Schema;
  return fieldsOf(schema).map(({ name, optional, schema: field }) => {
    const fallback = field.default === undefined ? '' : ` = ${JSON.stringify(field.default)}`;
    return `- ${code(`${name}${optional ? '?' : ''}: ${typeText(field)}${fallback}`)}`;
  });
}
