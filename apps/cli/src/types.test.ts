/** Commands of contract types: what they send, print and refuse. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
} from '@makima/client/testing/described-server';
import type { ContractTypeView } from '@makima/contracts/entity/contract-type';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
const sent: unknown[] = [];
const careful: ContractTypeView = {
  name: 'careful',
  version: 2,
  builtin: false,
  phases: [
    {
      name: 'build',
      terminal: true,
      deliverables: [
        { id: 'code', name: 'Code', required: true },
        { id: 'notes', name: 'Notes', required: false },
      ],
      gate: { tasks: { atLeast: 2 }, validator: ['make', 'check'], autoAdvance: false },
    },
  ],
  createdBy: 'Ada',
  createdAt: '2026-03-01T10:00:00.000Z',
};
beforeAll(async () => {
  server = await startDescribedServer({
    listContractTypes: () => ({ items: [careful] }),
    getContractType: ({ params, query }) => {
      sent.push({ ...params, ...query });
      return careful;
    },
    putContractType: ({ body }) => {
      sent.push(body);
      return careful;
    },
  });
  stage.url = server.url;
});
afterAll(async () => {
  await server.close();
  stage.remove();
});

it('lists and shows types', async () => {
  const list = await stage.run(['types', 'list']);
  expect(list).toMatchObject({ code: 0, stdout: 'careful\t2\tAda\tbuild\n' });
  const shown = await stage.run(['types', 'show', 'careful', '--at', '1']);
  expect(shown.stdout).toBe('build\tcode, notes (optional)\tat least 2\tmake check\tno\n');
  expect(sent.pop()).toEqual({ name: 'careful', version: 1 });
});

it('puts what show printed, and refuses what is no type before it is sent', async () => {
  const file = join(stage.home, 'careful.json');
  writeFileSync(file, (await stage.run(['types', 'show', 'careful', '-o', 'json'])).stdout);
  sent.length = 0;
  const checked = await stage.run(['types', 'put', 'careful.json', '--check']);
  expect(checked).toMatchObject({
    code: 0,
    stdout: 'careful.json is right: careful with 1 phases\n',
  });
  expect(sent).toEqual([]);
  const put = await stage.run(['types', 'put', '-'], { stdin: JSON.stringify(careful) });
  expect(put).toMatchObject({ code: 0, stdout: 'careful is version 2\n' });
  const [{ terminal: _, ...phase }] = careful.phases as [ContractTypeView['phases'][number]];
  expect(sent).toEqual([{ name: 'careful', phases: [phase] }]);
  for (const [content, why] of [
    ['{', 'is no JSON'],
    ['{"name":"Careful","phases":[{"name":"a"}]}', 'name: must be lower case with dashes'],
    ['{"name":"careful","phases":[{"name":"a"},{"name":"a"}]}', "Phase 'a' appears twice"],
    ['{"name":"simple","phases":[{"name":"a"}]}', 'the type simple comes with makima'],
  ] as const) {
    const refused = await stage.run(['types', 'put', '-'], { stdin: content });
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain(why);
  }
  const absent = await stage.run(['types', 'put', 'nowhere.json']);
  expect(absent.code).toBe(2);
  expect(absent.stderr).toContain('nowhere.json cannot be read');
});
