// What to do when nothing moves: say why, and know when nothing will.
// Why: a story that stops without a word is taken for a broken program.
// Law: a contract that waits for the person in front of it is not still. With --yes the demo ends by itself.
import type { Answer, Client } from '@makima/client/client';
import { oneLine } from '@makima/cli/plain';

type Why = Answer<'whyContract'>;

export interface StillnessOptions {
  readonly client: Client;
  readonly contractId: string;
  readonly agent: string;
  /** Nobody is there who could decide to wait longer. */
  readonly unattended: boolean;
  readonly say: (line: string) => void;
}

export interface Stillness {
  /** Something happened. */
  moved(): void;
  /** Looks, and answers whether it is of no use to wait on. */
  isHopeless(): Promise<boolean>;
}

const tellAfterMs = 10_000;
/** A model may think for long; a script does not. */
const patienceMs = { scripted: 120_000, model: 1_800_000 } as const;

export function createStillness(options: StillnessOptions): Stillness {
  const patience = options.agent === 'scripted' ? patienceMs.scripted : patienceMs.model;
  let since = performance.now();
  let lookAt = tellAfterMs;
  let told = '';
  const tell = (why: Why): void => {
    const reasons = why.blockers.map((one) => oneLine(one.reason));
    const text = reasons.length === 0 ? oneLine(why.summary) : reasons.join(' ');
    if (text === told) return;
    told = text;
    const seconds = Math.round((performance.now() - since) / 1_000);
    const out = options.unattended ? '' : ' Ctrl-C ends the demo.';
    options.say(`  ... nothing has moved for ${seconds} s: ${text}${out}`);
  };
  return {
    moved() {
      since = performance.now();
      lookAt = tellAfterMs;
    },
    async isHopeless() {
      const stillMs = performance.now() - since;
      if (stillMs < lookAt) return false;
      lookAt = stillMs + tellAfterMs;
      const why = await options.client
        .call('whyContract', { params: { id: options.contractId } })
        .catch(() => undefined);
      if (why === undefined) return false;
      tell(why);
      return options.unattended && stillMs >= patience;
    },
  };
}
