// Settings that a process of the stack refused at its start.
// Why: starting it again is of no use; a person must be told what to mend, and where.
// Law: the words are the process's own, so that file, key and what would fit are named once, by who knows.

/** Ends `up` with the exit code for what was not understood. */
export class BadSettingsError extends Error {
  constructor(said: string) {
    super(`${said}\nMend that, then: ./makima up   (what there is: docs/reference/settings.md)`);
  }
}
