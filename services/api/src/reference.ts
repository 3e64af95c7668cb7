/**
 * `/openapi.json`, and `/reference`: a page that draws it, and a page that explains every error code.
 *
 * Law: everything a page needs comes from this process; its policy lets it load nothing from elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import { errorCodes } from '@makima/domain/error';
import { problemStatus } from '@makima/contracts/problem';
import { problemMeanings } from '@makima/contracts/problem-meanings';
import { MakimaError } from '@makima/domain/error';
import type { Api } from './context.ts';
import type { ApiEnv } from './request.ts';
import { buildOpenApi } from './openapi.ts';

/** Inline style attributes are the drawing library's; scripts come from files only. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const startScript = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
});
`;

const styles = `body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
dt { font-family: ui-monospace, monospace; font-weight: 600; margin-top: 1.5rem; }
dt span { font-weight: 400; opacity: 0.7; }
dd { margin: 0.25rem 0 0; }
dt:target { outline: 2px solid; outline-offset: 4px; }
@media (prefers-color-scheme: dark) { .problems { background: #16181c; color: #e6e6e6; } }
`;

/** Files of the page: ours, and three of the library's. */
const libraryFiles: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};
const ownFiles: Readonly<Record<string, readonly [type: string, text: string]>> = {
  'start.js': ['text/javascript; charset=utf-8', startScript],
  'page.css': ['text/css; charset=utf-8', styles],
};

export function mountReference(
  app: Hono<ApiEnv>,
  api: Api,
  options: { readonly publicUrl?: string | undefined },
): void {
  const openApi = JSON.stringify(buildOpenApi({ version: api.version, ...options }));
  const loaded = new Map<string, Promise<Buffer>>();
  const load = (name: string): Promise<Buffer> => {
    const known =
      loaded.get(name) ?? readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)));
    loaded.set(name, known);
    return known;
  };
  app.get('/openapi.json', () => answer(openApi, 'application/json; charset=utf-8'));
  app.get('/reference', () => answer(referencePage, 'text/html; charset=utf-8'));
  app.get('/reference/problems', () => answer(problemsPage(), 'text/html; charset=utf-8'));
  app.get('/reference/:file', async (c) => {
    const name = c.req.param('file');
    const own = Object.hasOwn(ownFiles, name) ? ownFiles[name] : undefined;
    if (own !== undefined) return answer(own[1], own[0]);
    const type = Object.hasOwn(libraryFiles, name) ? libraryFiles[name] : undefined;
    if (type === undefined) throw new MakimaError('NOT_FOUND', 'the reference has no such file');
    return answer(await load(name), type);
  });
}

function answer(body: string | Buffer, type: string): Response {
  return new Response(typeof body === 'string' ? body : new Uint8Array(body), {
    headers: {
      'content-type': type,
      'content-security-policy': pagePolicy,
      'cache-control': 'no-cache',
    },
  });
}

const referencePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>makima API</title>
<link rel="stylesheet" href="/reference/swagger-ui.css">
<link rel="icon" href="/reference/favicon-32x32.png">
</head>
<body>
<div id="reference"></div>
<script src="/reference/swagger-ui-bundle.js"></script>
<script src="/reference/start.js"></script>
</body>
</html>
`;

function problemsPage(): string {
  const entries = errorCodes.map((code) => {
    const { means, act } = problemMeanings[code];
    return `<dt id="${code}">${code} <span>${problemStatus[code]}</span></dt><dd>${prose(means)}</dd><dd>${prose(act)}</dd>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>makima: error codes</title>
<link rel="stylesheet" href="/reference/page.css">
</head>
<body class="problems">
<main>
<h1>Error codes</h1>
<p>Every error answer is problem+json and carries one of these as <code>code</code>. <a href="/reference">All endpoints</a></p>
<dl>
${entries.join('\n')}
</dl>
</main>
</body>
</html>
`;
}

/** Escapes, and sets what stands between backticks as code. */
function prose(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
