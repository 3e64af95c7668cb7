// The person of the demo: answers what comes into the inbox, by hand or by --yes.
// Law: answers only what the contract of this demo asked.
import { createInterface } from 'node:readline/promises';
import type { Client } from '@makima/client/client';
import type { Question } from '@makima/contracts/entity/question';

export interface Person {
  /** Answers everything that is open now. Answers how many it answered. */
  answerAll(contractId: string): Promise<number>;
}

export interface PersonOptions {
  readonly client: Client;
  readonly yes: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export function createPerson(options: PersonOptions): Person {
  const { client, say } = options;
  const answered = new Set<string>();
  const answerOne = async (question: Question): Promise<void> => {
    answered.add(question.id);
    const response = options.yes
      ? (question.choices[0] ?? 'yes')
      : await ask(question, options.signal);
    if (options.yes) say(`  you answer: ${response}`);
    await client.call('answerQuestion', { params: { id: question.id }, body: { response } });
  };
  return {
    async answerAll(contractId) {
      const { items } = await client.call('listQuestions', {
        query: { contractId, status: 'open' },
      });
      const open = items.filter((question) => !answered.has(question.id));
      for (const question of open) await answerOne(question);
      return open.length;
    },
  };
}

async function ask(question: Question, signal: AbortSignal): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const choices = question.choices.map((choice, i) => `    ${i + 1} ${choice}`);
    const words = [
      `\n  ${question.question}`,
      ...(question.context === null ? [] : [`  ${question.context}`]),
      ...choices,
      '  your answer: ',
    ];
    for (;;) {
      const line = (await reader.question(words.join('\n'), { signal })).trim();
      const chosen = /^\d+$/.test(line) ? question.choices[Number(line) - 1] : line;
      if (chosen !== undefined && chosen !== '') return chosen;
    }
  } finally {
    reader.close();
  }
}
