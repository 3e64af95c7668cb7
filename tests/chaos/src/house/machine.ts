// A further machine of a house: a daemon with a home, a key and an enrolment of its own.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '@makima/stack/checkout';
import { enrolDaemon } from '@makima/stack/enrol';
import { daemonEnvironment } from '@makima/stack/environment';
import { ensureHome, homeAt, ownerKeyFile } from '@makima/stack/home';
import { makimaLayout } from '@makima/stack/layout';
import { LogFile } from '@makima/stack/log-file';
import { daemonSpec, type EnvironmentFor } from '@makima/stack/specs';
import { SupervisedProcess } from '@makima/stack/supervised';
import type { TestStack } from '@makima/stack/test-stack';

export interface Machine {
  readonly name: string;
  readonly process: SupervisedProcess;
  stop(): Promise<void>;
}

export async function startMachine(
  { stack, dir }: TestStack,
  name: string,
  environmentFor: EnvironmentFor,
): Promise<Machine> {
  const home = homeAt(join(dir, 'machines', name));
  ensureHome(home);
  copyFileSync(ownerKeyFile(stack.options.home), ownerKeyFile(home));
  const log = new LogFile(join(stack.options.home.logs, `${name}.log`));
  const env = { ...stack.options.env, MAKIMA_DAEMON_NAME: name };
  await enrolDaemon({
    home,
    apiUrl: stack.addresses.apiUrl,
    daemonMain: makimaLayout.daemon,
    daemonEnv: daemonEnvironment(env, stack.addresses, home),
    cwd: checkout,
    log,
  });
  const context = {
    layout: makimaLayout,
    replicas: {},
    env,
    home,
    environmentFor: (_: string, given: Readonly<NodeJS.ProcessEnv>) => environmentFor(name, given),
  };
  const process = new SupervisedProcess({
    ...daemonSpec(context, stack.addresses),
    name,
    log,
    onChange: () => {},
  });
  process.start();
  await process.whenReady();
  return {
    name,
    process,
    async stop() {
      await process.stop();
      log.close();
    },
  };
}
