/** The scripted agent passes the suite. */
import { join } from 'node:path';
import { environmentCommand, waitCommand } from './test-model.ts';
import { driverConformance } from './conformance.ts';
import type { Deed } from './conformance-stage.ts';
import { scriptedDriver } from './scripted.ts';

const scripts: Readonly<Record<Deed | 'limited', string>> = {
  hello: `
steps:
  - say: Hello from a script that is long enough to be streamed in more than one piece to whoever reads it.
`,
  commit: `
steps:
  - run: [sh, -c, "echo hello > hello.txt && git add hello.txt && git commit -qm 'add hello'"]
`,
  tool: `
steps:
  - tool: { name: makima_echo, args: { value: ping } }
    as: answer
  - say: "The tool said \${answer.echo}"
`,
  environment: `
steps:
  - run: [sh, -c, '${environmentCommand}']
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
  - run: [sh, -c, '${waitCommand}']
  - say: "I remember \${colour}"
`,
  limited: `
steps:
  - limit: { resets_in_ms: 3600000 }
`,
};

const heard = 'on_message:\n  - say: "Heard: ${message.text}"\n';

const driverIn = (home: string) =>
  scriptedDriver({
    sessionsDir: join(home, 'sessions'),
    environment: {
      PATH: process.env.PATH,
      HOME: home,
      DATABASE_URL: 'postgres://hunter2@x/y',
      MAKIMA_SECRET: 'hunter2',
    },
  });
const prompt = (script: keyof typeof scripts) =>
  `Please.\n\n\`\`\`makima-script${scripts[script]}${heard}\`\`\`\n`;

driverConformance({
  name: 'scripted',
  faults: null,
  snare: null,
  open: (home) => ({ driver: driverIn(home), prompt }),
  hello: { tokens: null, costUsd: 0 },
  limited: (home) => ({ driver: driverIn(home), prompt: prompt('limited') }),
});
