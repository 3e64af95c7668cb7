/** Handlers of daemons, keys, events and the process itself. */
import { MakimaError } from '@makima/domain/error';
import { createKey } from '@makima/engine/identity/create-key';
import { listDaemons, revokeDaemon } from '@makima/engine/identity/daemons';
import { createEnrolment, enrolDaemon } from '@makima/engine/identity/enrol';
import { listKeys } from '@makima/engine/identity/list-keys';
import { revokeKey } from '@makima/engine/identity/revoke-key';
import { whoAmI } from '@makima/engine/identity/who-am-i';
import type { HealthReport } from '@makima/runtime/health';
import { remoteAddress } from '../request.ts';
import { eventsPage, eventsStream } from '../live.ts';
import { reads, writes, type Handlers } from '../mount.ts';

export const systemHandlers = {
  listDaemons: reads((engine, caller) => listDaemons(engine, caller)),
  createEnrolment: writes(createEnrolment),
  enrolDaemon: async ({ api, engine, input, c }) => {
    try {
      return { result: await enrolDaemon(engine, input) };
    } catch (error) {
      if (!(error instanceof MakimaError) || error.code !== 'UNAUTHENTICATED') throw error;
      api.failures.count(remoteAddress(c));
      throw api.failures.refusal(remoteAddress(c)) ?? error;
    }
  },
  revokeDaemon: async ({ api, engine, call, input }) => {
    const answer = await revokeDaemon(engine, call, input);
    api.auth.forget();
    return answer;
  },
  createKey: writes(createKey),
  listKeys: reads((engine, caller) => listKeys(engine, caller)),
  revokeKey: async ({ api, engine, call, input }) => {
    const answer = await revokeKey(engine, call, input);
    api.auth.forget();
    return answer;
  },
  whoAmI: async ({ caller }) => ({ result: whoAmI(caller) }),
  listEvents: async ({ api, caller, input, signal, c }) => {
    const wantsStream = (c.req.header('accept') ?? '').includes('text/event-stream');
    return wantsStream ? eventsStream(c, api, input) : eventsPage({ api, caller, input, signal });
  },
  livez: async ({ api }) => ({ result: healthy(api.health.livez()) }),
  readyz: async ({ api }) => ({ result: healthy(await api.health.readyz()) }),
} satisfies Partial<Handlers>;

function healthy(report: HealthReport): { ok: boolean; [more: string]: unknown } {
  if (report.ok) return { ...report };
  throw new MakimaError('DEPENDENCY_UNAVAILABLE', 'the process cannot serve now', {
    retryable: true,
    details: { checks: report.checks },
  });
}
