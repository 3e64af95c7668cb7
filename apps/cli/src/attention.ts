/**
 * What asks for attention, on every surface with the same glyph, word and colour.
 *
 * Law: colour is never the only sign.
 */
import type { Attention } from '@makima/domain/attention-rank';
import type { Colors } from './io.ts';

export type Tint = (text: string, colors: Colors) => string;

const signs: Readonly<Record<Attention, readonly [glyph: string, word: string, tint: Tint]>> = {
  needs_you: ['!', 'needs you', (text, c) => c.yellow(text)],
  failed: ['x', 'failed', (text, c) => c.red(text)],
  stale: ['?', 'stale', (text, c) => c.yellow(text)],
  limited: ['~', 'limited', (text, c) => c.magenta(text)],
  running: ['>', 'running', (text, c) => c.green(text)],
  queued: ['.', 'queued', (text, c) => c.gray(text)],
  paused: ['=', 'paused', (text, c) => c.gray(text)],
  done: ['v', 'done', (text, c) => c.blue(text)],
  archived: ['v', 'archived', (text, c) => c.gray(text)],
};

export const glyphOf = (attention: Attention): string => signs[attention][0];
export const wordOf = (attention: Attention): string => signs[attention][1];
export const tintOf = (attention: Attention): Tint => signs[attention][2];
