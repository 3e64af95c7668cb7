/** `policy.md`: the one table of who may call what, as the API's rule answers it. */
import { endpoints } from '../endpoints.ts';
import { admitted, callers } from '../who-may-call.ts';
import { code, page, table } from '../markdown.ts';

export function policyPage(): string {
  return page(
    'Policy',
    ['packages/contracts/src/http/', 'services/api/src/policy.ts'],
    [
      `Deny by default: what has no mark is refused with 403 (\`FORBIDDEN\`, for an agent that is no supervisor \`NOT_SUPERVISOR\`), a call without a key with 401. The table is the first door only: which rows a caller may touch is asked again by the verb behind it, inside its transaction. A key sees its owner's rows; an agent's key those of its contract, for one attempt.`,
      table(
        ['endpoint', 'without a key', ...callers.map(([heading]) => heading)],
        endpoints.map(({ method, path, policy }) => [
          code(`${method} ${path}`),
          'public' in policy ? 'yes' : '',
          ...admitted(policy).map((yes) => (yes ? 'yes' : '')),
        ]),
      ),
    ],
  );
}
