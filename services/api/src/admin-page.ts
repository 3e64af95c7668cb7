/**
 * The page that asks for an owner's key. It sends it once to `/admin/session` and forgets it.
 *
 * Law: one inline style and one inline script, each allowed by its hash; nothing else is.
 */
import { createHash } from 'node:crypto';

const style = `body { font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0; }
form { display: grid; gap: 0.75rem; width: min(24rem, 90vw); }
input, button { font: inherit; padding: 0.5rem; }
output { color: #b00020; min-height: 1.5em; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } output { color: #ff8a80; } }
`;

const script = `const form = document.querySelector('form');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const input = form.elements.namedItem('key');
  const answer = await fetch('/admin/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: input.value.trim() }),
  });
  input.value = '';
  if (answer.ok) location.assign('/admin/queues');
  else form.querySelector('output').textContent = (await answer.json()).detail;
});
`;

export const adminPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>makima: queues</title>
<style>${style}</style>
</head>
<body>
<form>
<label for="key">Owner key</label>
<input id="key" name="key" type="password" autocomplete="off" required>
<button>Open the queues</button>
<output></output>
</form>
<script>${script}</script>
</body>
</html>
`;

const hashOf = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const adminPagePolicy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;
