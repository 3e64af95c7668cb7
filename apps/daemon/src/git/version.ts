/**
 * Whether this machine's git can do what the git room asks of it.
 *
 * Law: below 2.38 there is no merge without a working tree; the answer says what to do.
 *
 * export readGitVersion(): Promise<GitVersion>
 */
import { git } from './run.ts';

export interface GitVersion {
  /** As git says it; empty when there is no git. */
  readonly version: string;
  readonly ok: boolean;
  readonly fix: string | null;
}

const needed = [2, 38] as const;

export async function readGitVersion(): Promise<GitVersion> {
  const said = await git(['version']).then(
    (result) => result.stdout,
    () => '',
  );
  const [, version = '', major = '0', minor = '0'] = /((\d+)\.(\d+)\S*)/.exec(said) ?? [];
  const [wantMajor, wantMinor] = needed;
  const ok =
    Number(major) > wantMajor || (Number(major) === wantMajor && Number(minor) >= wantMinor);
  return { version, ok, fix: ok ? null : `Install git ${needed.join('.')} or newer` };
}
