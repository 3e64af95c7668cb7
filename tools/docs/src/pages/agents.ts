/** `agents.md`: what each driver of this checkout can do. */
import type { AgentCaps } from '@makima/daemon/driver/driver';
import { daemonDrivers, type DriverConfig } from '@makima/daemon/drivers';
import { homeAt } from '@makima/daemon/home';
import { readSource } from '../checkout.ts';
import { fieldComments } from '../comments.ts';
import { code, codes, page, table } from '../markdown.ts';

const driverFile = 'apps/daemon/src/driver/driver.ts';

/** Nothing is started with it: drivers only say what they are. */
const config: DriverConfig = {
  environment: {},
  claudePath: null,
  codexPath: null,
  geminiPath: null,
  opencodePath: null,
  acpCommand: null,
  acpEnvironment: [],
};

export function agentsPage(): string {
  const drivers = daemonDrivers(config, homeAt('home')).toSorted((a, b) =>
    a.kind.localeCompare(b.kind, 'en'),
  );
  const source = readSource(driverFile);
  const caps = source.slice(source.indexOf('export interface AgentCaps'));
  const meanings = fieldComments(caps.slice(0, caps.indexOf('\n}')));
  const names = Object.keys(drivers[0]?.caps ?? {}) as (keyof AgentCaps)[];
  return page(
    'Agents',
    [driverFile, 'apps/daemon/src/drivers.ts'],
    [
      `Kinds: ${codes(drivers.map(({ kind }) => kind))}. A daemon looks for each when it starts and tells what it found in its hello (\`makima daemon list\`). Whoever uses a session asks what it can do, never which kind it is; every driver passes the same conformance suite (\`acp\`, behind which anything may stand, has cases of its own). How each is set up: [agents](../guide/agents.md).`,
      table(
        ['can', ...drivers.map(({ kind }) => kind), 'means'],
        names.map((name) => [
          code(name),
          ...drivers.map(({ caps: can }) =>
            typeof can[name] === 'boolean' ? (can[name] ? 'yes' : 'no') : String(can[name]),
          ),
          meanings.get(name) ?? '',
        ]),
      ),
      '## What a kind cannot do, and what makima does instead',
      ...drivers.flatMap(({ kind, caps: can }) => {
        const rows = [...lacksOf(can), ...(ways[kind] ?? [])];
        return rows.length === 0 ? [] : [`### ${code(kind)}`, table(['it', 'so makima'], rows)];
      }),
    ],
  );
}

type Row = readonly [lack: string, instead: string];

/** What follows from a cap, for every kind that has it so. */
function lacksOf(can: AgentCaps): readonly Row[] {
  const rows: Row[] = [];
  const when = (lacks: boolean, lack: string, instead: string): void => {
    if (lacks) rows.push([lack, instead]);
  };
  when(
    can.inject === 'next_turn',
    'reads a message only between its turns',
    'keeps the message until the turn is over',
  );
  when(
    can.inject === 'none',
    'reads no message while it works',
    'refuses the message while a turn runs; its sender is told',
  );
  when(!can.interrupt, 'cannot be broken off', 'lets the turn end, or ends the process');
  when(
    can.resume === 'local',
    'goes on only on the machine where its conversation lies',
    'starts a new conversation elsewhere, with the last checkpoint and a summary',
  );
  when(
    can.resume === 'none',
    'cannot go on in a conversation',
    'starts a new one, with the last checkpoint and a summary',
  );
  when(!can.questions, 'asks no question by itself', 'offers it `makima_ask`');
  when(
    !can.permissions,
    'cannot be made to ask before it acts',
    'refuses a start that wants it to ask',
  );
  when(
    !can.toolIds,
    'does not name its calls of tools',
    'takes each call as a new one; a call that is cut off is not sent again by the daemon',
  );
  when(
    !can.toolGate,
    'lets nobody look at a call before it is made',
    'guards at its own tools alone: the verbs refuse what the phase forbids',
  );
  when(!can.park, 'cannot be parked', 'keeps its process while it waits');
  when(!can.turnLimits, 'knows no limit of turns or of its budget', 'refuses a start with one');
  when(
    !can.rateLimits,
    'tells no reset of a usage limit',
    'takes a rejection as a failed turn, told with its words',
  );
  when(
    can.retries === 'silent',
    'asks its model again in silence',
    'tells of the silence, breaks the turn off and says "continue"; then gives the attempt up',
  );
  when(can.modelErrors === 'words', 'tells no status of a failed request', 'tells its words');
  when(
    can.cost === 'tokens',
    'tells tokens, and no cost',
    'counts tokens; derives the cost from `MAKIMA_PRICES` and calls it `est.`; without a price the cost is unknown, and said to be',
  );
  when(can.cost === 'none', 'tells no usage', 'shows none');
  when(
    !can.mirror,
    'does not stream its conversation',
    'has nothing to restore it from on another machine',
  );
  return rows;
}

const keepsNoConversation: Row = [
  'keeps its conversation where nobody else can read it',
  'writes a record of its own, which travels: where the agent cannot load its own, a fresh one is told what stands there',
];
const runsTwice: Row = [
  'runs a message as often as it is given it',
  'writes it into its record first; one that stands there is not given again, unless nothing was seen after it',
];

/** What is particular to a kind. */
const ways: Readonly<Record<string, readonly Row[]>> = {
  acp: [
    keepsNoConversation,
    runsTwice,
    [
      'obeys settings of its own, of the person and of the repository',
      'cannot keep it from them: who sets its command vouches for it',
    ],
  ],
  gemini: [
    [
      'has settings, hooks, tool servers, instructions and an environment in the repository (`.gemini`, `GEMINI.md`, `.env`)',
      'leaves them out unless the repository is trusted. Where there is a `.gemini`, that is its restricted mode, which knows no tool servers: makima’s tools are commands in its shell then',
    ],
    [
      'keeps sign-in, settings and conversations in one home',
      'gives each conversation a home of its own, with links to the sign-in; of the person’s settings only the kind of sign-in and the model take part',
    ],
    [
      'breaks a running turn off when it is given a message',
      'gives it one only when its turn is over',
    ],
    [
      'overwrites its conversation when it loads it within the same minute, and tells of its past in any order',
      'moves it to an older date first, and marks its end; where it cannot be loaded, a fresh one is told the record',
    ],
    runsTwice,
    [
      'asks its model again in silence, and not at all when an answer is cut off',
      'has it ask once, and asks again itself, with the same words or with "go on" when a tool has ended meanwhile',
    ],
    ['takes no words with a refusal', 'says the words as a message before the turn is over'],
    ['reads no global settings of git in its shell', 'gives the working directory its author'],
    ['takes what begins with / or $ for a command of its own', 'puts a word before it'],
  ],
  opencode: [
    [
      'has settings, plugins, tool servers and instructions in the repository (`opencode.json`, `.opencode`, `AGENTS.md`)',
      'leaves them out unless the repository is trusted',
    ],
    [
      'fetches packages for the folders of its settings',
      'gives each run a folder of its own in which nothing is missing; of the person’s settings only providers and models take part',
    ],
    [
      'tells nobody over ACP that it asks its model again, for how long, and why it failed',
      'reads it from the server that it opens on loopback anyway, locked with a password of the run; a wait of a minute or more is a usage limit',
    ],
    runsTwice,
    [
      'keeps its conversations in one database of the person',
      'has a database of its own; elsewhere a fresh conversation is told the record',
    ],
    ['takes no words with a refusal', 'says the words as a message before the turn is over'],
    ['takes what begins with / for a command of its own', 'puts a word before it'],
  ],
  claude: [
    [
      'has hooks, tool servers and instructions in the repository',
      'leaves all of them out, `CLAUDE.md` too, unless the repository is trusted',
    ],
  ],
  codex: [
    [
      'has settings, tool servers and instructions in the repository, and trusts an unknown one by itself',
      'calls it untrusted in the settings of the run, unless it is trusted; then `AGENTS.md` is read as well. Its hooks stay off in both cases: they want a trust of their own',
    ],
    [
      'keeps sign-in, settings and conversations in one home',
      'gives each run a home of its own, with a link to the sign-in in `auth.json`; of `config.toml` only the choice of model and of its provider takes part. A sign-in in the keychain cannot be used',
    ],
    [
      'runs a message as often as it is given it',
      'gives its id along; a message that stands in the conversation is not given again, on whichever machine',
    ],
    [
      'forgets what it had taken and not read when a turn is broken off, and lets go on what the turn ran',
      'gives it the message again in the next turn, and ends what the turn ran',
    ],
    [
      'takes no words with a refusal, and no other input with a permission',
      'says the words as a message; an answer that changes the input is not taken',
    ],
    [
      'has a sandbox in which a worktree cannot be committed to',
      'runs it without one (`danger-full-access`); with permission `plan` it may only read',
    ],
    [
      'waits without end for a model that sends no headers',
      'tells of the silence, breaks the turn off and says "continue"; then gives the attempt up',
    ],
    [
      'does not ask again after a 429 that names no time',
      'tells the failed turn, as after its last try',
    ],
  ],
};
