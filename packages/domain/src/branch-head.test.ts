/** Every way in which a told move lies to the known head. */
import { expect, it } from 'vitest';
import { stepOf } from './branch-head.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const told = { from: b, to: c, changed: ['x.txt'], complete: true };

it('is the step that was told when it begins where the branch stands, or when nothing is known', () => {
  expect(stepOf(b, told)).toEqual(told);
  expect(stepOf(b, { ...told, onto: a })).toEqual(told);
  expect(stepOf(null, { ...told, onto: undefined })).toEqual(told);
});

it('is not wholly known when the copy had more than the head that it held', () => {
  expect(stepOf(a, { ...told, onto: a })).toEqual({ ...told, from: a, complete: false });
});

it('is none when the copy lacked the head', () => {
  expect(stepOf(d, told)).toBeNull();
  expect(stepOf(d, { ...told, onto: a })).toBeNull();
});
