/**
 * The home of one run of Codex: settings of its own, the person's sign-in, the conversation's folder.
 *
 * Law: the person's own home of Codex is not written to, but for what Codex itself renews of their sign-in (the
 * link leads to their file). What Codex leaves in this home ends with the run; the conversation does not.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PersonsChoice } from './codex-settings.ts';
import { personsHome, runSettings } from './codex-settings.ts';
import type { StartSpec } from './driver.ts';
import type { Environment } from './environment.ts';

/** Returns the path of the home. */
export function writeCodexHome(
  spec: StartSpec,
  options: {
    readonly env: Environment;
    readonly choice: PersonsChoice;
    readonly conversation: string;
  },
): string {
  const home = join(resolve(spec.home), 'codex');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const settings = runSettings(spec, options.choice);
  writeFileSync(join(home, 'config.toml'), settings, { mode: 0o600 });
  const signIn = join(personsHome(options.env), 'auth.json');
  if (existsSync(signIn)) symlinkSync(resolve(signIn), join(home, 'auth.json'));
  symlinkSync(resolve(options.conversation), join(home, 'sessions'));
  return home;
}
