/** The person's word at a contract that does not go on by itself: resumed though held, ended in its last phase. */
import { afterAll, afterEach, expect, it } from 'vitest';
import {
  startDescribedServer,
  type DescribedServer,
  type Handlers,
} from '@makima/client/testing/described-server';
import { sampleContract, sampleDetail } from '@makima/client/testing/samples';
import { CliStage } from './testing/cli.ts';

const stage = new CliStage();
let server: DescribedServer;
afterEach(() => server.close());
afterAll(() => stage.remove());

async function serve(handlers: Handlers): Promise<void> {
  server = await startDescribedServer({ listContracts, ...handlers });
  stage.url = server.url;
}
const contract = sampleContract(1, { slug: 'fix-login' });
const listContracts = () => ({ items: [contract], nextCursor: null });

it('that is resumed and still held says by what, and who lets it go on', async () => {
  const act = 'makima answer q1 "Raise by $10.00"';
  await serve({
    changeStatus: () => ({
      success: true,
      previousStatus: 'paused',
      newStatus: 'waiting_for_input',
      rejectionReason: null,
    }),
    whyContract: ({ params }) => ({
      id: params.id,
      kind: 'contract',
      status: 'waiting_for_input',
      moving: false,
      summary: '',
      blockers: [
        {
          kind: 'budget',
          reason: 'The budget is used up.',
          since: null,
          whoCanAct: 'person',
          act,
          taskId: null,
          questionId: null,
        },
      ],
    }),
  });
  expect(await stage.run(['contracts', 'resume', 'fix-login'])).toEqual({
    code: 0,
    stdout: 'fix-login is waiting for input\n',
    stderr: `The budget is used up.\n  ${act}\n`,
  });
});

it.each([
  ['active', 'completing'],
  // The grace is cut short; the clean-up has yet to be done and the branch to be delivered.
  ['completing', 'completed'],
] as const)(
  'says that one that was %s is being completed, and how to follow it',
  async (status, to) => {
    const last = sampleDetail(1, { slug: 'fix-login', phase: 'execute', status });
    await serve({
      getContract: () => last,
      listContracts: () => ({ items: [last], nextCursor: null }),
      listQuestions: () => ({ items: [], nextCursor: null }),
      changeStatus: () => ({
        success: true,
        previousStatus: status,
        newStatus: 'completing',
        rejectionReason: null,
      }),
    });
    expect(await stage.run(['contracts', 'advance', last.id, '--confirm'])).toEqual({
      code: 0,
      stdout: 'fix-login is being completed\n',
      stderr: '  makima watch fix-login\n',
    });
    expect(server.received.at(-1)?.body).toEqual({ targetStatus: to });
  },
);
