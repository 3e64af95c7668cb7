/**
 * Seeds of races that once broke something. Each is run first in every run.
 *
 * Law: a seed is never removed; beside it stands what it found.
 */
export const races = [
  'restore against restore',
  'task ended against pause',
  'answer against default',
  'assign against cancel',
  'lease over against task ended',
  'yes against no',
  'wait over against task ended',
  'restore against cancel',
  'park against answer',
  'merge against cancel',
  'resume against restore',
  'completion against pause',
] as const;

export type Race = (typeof races)[number];

export const keptSeeds: Readonly<Record<Race, readonly number[]>> = {
  'restore against restore': [],
  'task ended against pause': [],
  'answer against default': [],
  'assign against cancel': [],
  'lease over against task ended': [],
  'yes against no': [],
  'wait over against task ended': [],
  'restore against cancel': [],
  'park against answer': [],
  'merge against cancel': [],
  'resume against restore': [],
  'completion against pause': [],
};
