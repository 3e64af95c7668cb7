/**
 * A task that works in rounds (`autonomousLoop`): its agent is told to go on after each turn until it says
 * that the whole plan is done, for a bounded number of rounds.
 *
 * Law: only the agent's own word ends it well; when the rounds are used up without that word, it has failed,
 * and its work stands on its branch.
 */

/** The last line of a message that says that nothing of the plan is left. */
export const completionWord = 'TASK COMPLETE';

/** Marks that people and models put around a line: list signs, quotes, emphasis, an end of sentence. */
const around = /^[\s>#*_`"'-]+|[\s*_`"'.!]+$/g;

export function saysComplete(text: string): boolean {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  return last.replaceAll(around, '') === completionWord;
}

/** What stands beside its instructions. */
export function roundsBrief(roundsMax: number): string {
  return `You work in rounds, ${roundsMax} at most: when your turn ends you are told to go on with what is left of the plan. When all of it is done and checked, end your last message with a line that says only ${completionWord}.`;
}

export function goOnWords(round: number, roundsMax: number): string {
  return `[Round ${round} of ${roundsMax}] Go on with what is left of your plan. When all of it is done and checked, end your last message with a line that says only ${completionWord}.`;
}

export function roundsUsedUp(roundsMax: number): string {
  return `it did not say ${completionWord} within ${roundsMax} rounds`;
}
