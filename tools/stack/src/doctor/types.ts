// The folder of contract types, where one is named: does each file hold a type.
// Why: the server takes the good ones and goes on; the bad ones are seen here.
// Law: judged by the same reader as the server's; nothing is sent.
import { readTypeFile, typeFileWords } from '@makima/contracts/entity/contract-type-file';
import { typeFolder } from '@makima/domain/contract-type';
import { settingTables } from '@makima/engine/settings';
import { ConfigError } from '@makima/runtime/config';
import { withConfigFile } from '@makima/runtime/config-file';
import { readTextFiles } from '@makima/runtime/text-files';
import { fail, pass, type Check } from './check.ts';

const name = 'contract types';

export const checkTypes: Check = async ({ env }) => {
  let folder: string | undefined;
  try {
    folder = withConfigFile(env, settingTables).env['MAKIMA_TYPES_DIR']?.trim();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((one) =>
      fail(
        name,
        `${one.name} ${one.problem}`,
        'mend the file of settings; no service starts with it',
      ),
    );
  }
  if (!folder) return pass(name, 'MAKIMA_TYPES_DIR names no folder of files');
  const files = await readTextFiles({ folder, ...typeFolder });
  const wrong = files.flatMap(({ file, text, problem }) => {
    if (text === null) return [`${file}: ${problem ?? ''}`];
    const read = readTypeFile(text);
    return read.ok ? [] : [typeFileWords(file, read)];
  });
  if (wrong.length === 0) return pass(name, `${files.length} in ${folder}`);
  return wrong.map((words) =>
    fail(name, words, `mend it in ${folder}; others are taken without it`),
  );
};
