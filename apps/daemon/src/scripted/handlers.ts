/**
 * Which handler performs which verb. `when` and `repeat` are the interpreter's own.
 *
 * Law: every verb of the table stands here; the type says so.
 */
import type { Handler } from './host.ts';
import { append, commit, run, write } from './steps-files.ts';
import {
  crash,
  done,
  fail,
  hang,
  limit,
  question,
  say,
  set,
  sleep,
  waitMessage,
} from './steps-talk.ts';
import { spend } from './spend.ts';
import { toolSteps } from './steps-tools.ts';
import type { Verb } from './verbs.ts';

export const handlers: Readonly<Record<Exclude<Verb, 'when' | 'repeat'>, Handler>> = {
  ...toolSteps,
  say,
  set,
  write,
  append,
  run,
  commit,
  question,
  wait_message: waitMessage,
  sleep,
  crash,
  hang,
  fail,
  limit,
  spend,
  done,
};
