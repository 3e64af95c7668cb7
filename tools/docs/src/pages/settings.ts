/** `settings.md` and `.env.example`: every environment variable of every process. */
import { settingTables } from '@makima/engine/settings';
import { fileOf, type ConfigField } from '@makima/runtime/config';
import { configFileName } from '@makima/runtime/config-file';
import { block, code, mendCommand, page, table } from '../markdown.ts';
import { plainSettings } from '../plain-settings.ts';
import { processes } from '../settings.ts';

export function settingsPage(): string {
  return page(
    'Settings',
    [...processes.map(({ source }) => source), 'tools/docs/src/plain-settings.ts'],
    [
      'Environment variables, read once when a process starts. A wrong one ends the start with exit code 2 and a list of everything that is wrong; values are never printed. An empty variable counts as not set. A secret may stand in a file that `<NAME>_FILE` names, which neither `ps` nor `/proc` shows to other programs of the same user. `./makima up` hands the addresses of the stores over so; it sets addresses, ports and stores by itself and passes the other `MAKIMA_*` on.',
      '`.env.example` has the same as a file. makima reads no `.env` by itself; Node does:',
      block('node --env-file=.env services/api/src/main.ts', 'sh'),
      ...processes.flatMap(({ title, fields }) => [
        `## ${title}`,
        table(
          ['variable', 'default', 'means'],
          fields.map((field) => [code(field.name), defaultText(field), meaningOf(field)]),
        ),
      ]),
      '## As a file',
      `\`${configFileName}\` names a TOML file. Its keys say what the variables say; a variable that is set counts more.`,
      ...Object.entries(settingTables).map(([name, keys]) =>
        table(
          [`\`[${name}]\``, 'variable'],
          [...keys].map(([key, variable]) => [code(key), code(variable)]),
        ),
      ),
      ...plainSettings.flatMap(({ title, rows }) => [
        `## ${title}`,
        table(
          ['variable', 'means'],
          rows.map(([name, meaning]) => [code(name), meaning]),
        ),
      ]),
    ],
  );
}

/** A secret may stand in a file instead. */
function meaningOf({ name, meaning, secret }: ConfigField): string {
  return secret ? `${meaning}; or ${code(fileOf(name))}: a file that holds it` : meaning;
}

function defaultText({ required, defaultValue }: ConfigField): string {
  if (required) return 'required';
  return defaultValue === undefined ? '' : code(defaultValue);
}

/** Every line is a comment: nothing is set by copying it. */
export function envExample(): string {
  const sections = processes.map(({ title, fields }) =>
    [`# --- ${title} ---`, ...fields.map(envLines)].join('\n\n'),
  );
  const containers = plainSettings.filter(({ title }) => title.startsWith('Containers'));
  const more = containers.map(({ title, rows }) =>
    [
      `# --- ${title.replaceAll('`', '')} ---`,
      ...rows.map(([name, meaning]) => `# ${meaning.replaceAll('`', '')}\n#${name}=`),
    ].join('\n\n'),
  );
  const head = `# Settings of makima. Made by \`${mendCommand}\`; what stands here is the default.\n# Take the # away from what is to be something else. ./makima up needs none of them.`;
  return `${[head, ...sections, ...more].join('\n\n')}\n`;
}

function envLines({ name, meaning, required, secret, defaultValue }: ConfigField): string {
  const marks = [required ? 'required' : '', secret ? `secret, or ${fileOf(name)}` : ''].filter(
    (mark) => mark !== '',
  );
  const note = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  return `# ${meaning}${note}\n#${name}=${defaultValue ?? ''}`;
}
