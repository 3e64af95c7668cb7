/** The scripted agent passes the suite. */
import { join } from 'node:path';
import { driverConformance } from './conformance.ts';
import type { Deed } from './conformance-stage.ts';
import { scriptedDriver } from './scripted.ts';

const wait =
  'nohup setsid sleep 300 >/dev/null 2>&1 & touch started; while [ ! -e go ]; do sleep 0.02; done';

const scripts: Readonly<Record<Deed, string>> = {
  hello: `
steps:
  - say: Hello from a script that is long enough to be streamed in more than one piece to whoever reads it.
`,
  commit: `
steps:
  - write: { file: hello.txt, content: "hello\\n" }
  - commit: add hello
`,
  tool: `
steps:
  - tool: { name: makima_echo, args: { value: ping } }
    as: answer
  - say: "The tool said \${answer.echo}"
`,
  environment: `
steps:
  - run: [sh, -c, 'env > env.txt; echo nice=$(nice) >> env.txt']
`,
  question: `
steps:
  - question: { text: "Which database?", choices: [Postgres, SQLite] }
    as: database
  - say: "You chose \${database.response}"
`,
  wait: `
steps:
  - set: magenta
    as: colour
  - run: [sh, -c, '${wait}']
  - say: "I remember \${colour}"
`,
};

const heard = 'on_message:\n  - say: "Heard: ${message.text}"\n';

driverConformance({
  name: 'scripted',
  faults: null,
  open: (home) => ({
    driver: scriptedDriver({
      sessionsDir: join(home, 'sessions'),
      environment: {
        PATH: process.env.PATH,
        HOME: home,
        DATABASE_URL: 'postgres://hunter2@x/y',
        MAKIMA_SECRET: 'hunter2',
      },
    }),
    prompt: (deed) => `Please.\n\n\`\`\`makima-script${scripts[deed]}${heard}\`\`\`\n`,
  }),
});
