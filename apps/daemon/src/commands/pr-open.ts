/** `pr.open`: a branch pushed, and a pull request for it. Known secrets are taken out of its words first. */
import type { CommandOf } from '@makima/contracts/socket/commands';
import { readToken } from '../forge/token.ts';
import type { OperationWork } from './operation.ts';

export const prOpen: OperationWork<CommandOf<'pr.open'>> = async (context, command) => {
  const settings = context.config.forge;
  const { secrets } = context;
  const token = await readToken(settings.tokenFile, secrets);
  const title = secrets.redact(command.title);
  const body = secrets.redact(command.body);
  return context.workspace.propose({ ...command, title, body }, { settings, token });
};
