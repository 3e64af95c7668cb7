// What a check found.
export interface Verdict {
  readonly lost: string[];
  readonly doubled: string[];
  readonly broken: string[];
}

export const clean = (): Verdict => ({ lost: [], doubled: [], broken: [] });

export function findings({ lost, doubled, broken }: Verdict): string[] {
  return [
    ...lost.map((line) => `lost: ${line}`),
    ...doubled.map((line) => `doubled: ${line}`),
    ...broken.map((line) => `broken: ${line}`),
  ];
}
