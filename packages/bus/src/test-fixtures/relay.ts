/** A process that relays a file outbox until it is killed. Arguments: Redis URL, file, racepoints. */
import { createLog } from '@makima/runtime/log';
import { createMetrics } from '@makima/runtime/metrics';
import { initRacepoints } from '@makima/runtime/racepoint';
import { createOutboxRelay } from '../outbox-relay.ts';
import { openBus } from '../queues.ts';
import { fileOutbox } from '../test-outbox.ts';

const [url = '', file = '', race] = process.argv.slice(2);
initRacepoints(race);
const bus = openBus({
  url,
  log: createLog({ service: 'relay', level: 'silent' }),
  metrics: createMetrics({ service: 'relay' }),
});
createOutboxRelay({ bus, port: fileOutbox(file, 200) }).start();
