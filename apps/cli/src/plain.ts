/**
 * Text of agents made harmless for a terminal.
 *
 * Why: an agent's output, question or error may carry escape sequences that move the cursor, set the
 * clipboard, change the title or hide what follows; also characters that reverse the reading order.
 * Law: what passed here contains no control character but newline and tab. All patterns run in linear time.
 */

// OSC, DCS, SOS, PM, APC up to their terminator, in 7-bit and 8-bit form.
const stringSequence =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)/g;
// CSI with parameters, and the short escapes.
// oxlint-disable-next-line no-control-regex
const controlSequence = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text without control sequences; line ends become `\n`. */
export function plain(text: string): string {
  return text
    .replace(stringSequence, '')
    .replace(controlSequence, '')
    .replace(/\r\n?/g, '\n')
    .replace(controls, '');
}

/** The same in one line, runs of white space as one space. */
export function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ').trim();
}

/** The first line that holds anything, at most `length` characters, with `ellipsis` where it was cut. */
export function headline(text: string, length: number, ellipsis = '…'): string {
  const line = oneLine(plain(text).trimStart().split('\n', 1)[0] ?? '');
  const characters = Array.from(line);
  if (characters.length <= length) return line;
  return `${characters.slice(0, length - ellipsis.length).join('')}${ellipsis}`;
}

// oxlint-disable-next-line no-control-regex
const unsafeInJson = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** JSON in one line, or indented, in which every control character is written as an escape. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    unsafeInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
