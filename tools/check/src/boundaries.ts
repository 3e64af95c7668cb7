// The boundary check: no import up, none sideways, no circle, no store by name where it is not at home.
// Why: one forbidden import is where a house begins to become one room.
// Law: every refusal names file, line and reason.
import { posix } from 'node:path';
import { cyclesIn, type Edge } from './cycles.ts';
import { isEntryFile, isOutside, isTestFile, rooms, type Room } from './floors.ts';
import { importsOf, lineAt, type ImportStatement } from './source.ts';
import type { SourceFile, Tree, Violation } from './tree.ts';

const scope = '@makima/';

export const checkBoundaries = (tree: Tree): Violation[] => [
  ...tree.sources.flatMap((file) => importViolations(file)),
  ...tree.sources.flatMap((file) => environmentViolations(file)),
  ...circleViolations(tree),
  ...dependencyViolations(tree),
];

interface Place {
  name: string;
  room: Room;
  /** Path of the file inside its package. */
  inside: string;
}

const placeOf = (path: string): Place | undefined => {
  for (const [name, room] of Object.entries(rooms)) {
    if (path.startsWith(`${room.dir}/`)) {
      return { name, room, inside: path.slice(room.dir.length + 1) };
    }
  }
  return undefined;
};

const importViolations = (file: SourceFile): Violation[] => {
  const place = placeOf(file.path);
  if (!place || isTestFile(file.path)) return [];
  return importsOf(file).flatMap((statement) => {
    const message = refusal(place, file.path, statement);
    return message === undefined
      ? []
      : [{ path: file.path, line: statement.line, rule: 'boundary', message }];
  });
};

/** Why this import is not allowed; undefined if it is. */
const refusal = (
  place: Place,
  path: string,
  { specifier }: ImportStatement,
): string | undefined => {
  if (specifier.startsWith('.')) return relativeRefusal(place, path, specifier);
  if (specifier.startsWith(scope)) return roomRefusal(place, specifier);
  if (specifier.startsWith('node:')) {
    return place.room.node
      ? undefined
      : `${place.room.dir} imports ${specifier}, but nothing of Node belongs there`;
  }
  return outsideRefusal(place, packageName(specifier));
};

const relativeRefusal = ({ room }: Place, path: string, specifier: string): string | undefined => {
  const target = posix.join(posix.dirname(path), specifier);
  return target.startsWith(`${room.dir}/`)
    ? undefined
    : `${specifier} leaves ${room.dir}: name the package instead`;
};

const roomRefusal = ({ name, room, inside }: Place, specifier: string): string | undefined => {
  const target = specifier.slice(scope.length).split('/')[0]!;
  if (target === name) return undefined;
  const targetRoom = rooms[target];
  if (!targetRoom)
    return `${specifier} stands outside the floors (tools, tests): only tests use it`;
  const allowed = room.onlyFrom?.[target];
  if (allowed && !allowed.includes(inside)) {
    return `${specifier} may be imported in ${allowed.join(' and ')} only: everything else calls a verb of the engine`;
  }
  if (room.mayImport.includes(target)) return undefined;
  const [from, to] = [room.floor, targetRoom.floor];
  if (to > from) return `${specifier} is an import up, from floor ${from} to floor ${to}`;
  if (to === from)
    return `${specifier} is an import sideways on floor ${from}: siblings never import each other`;
  return `${room.dir} must not import ${target}: the table of floors does not allow it`;
};

const outsideRefusal = ({ room }: Place, name: string): string | undefined => {
  if (room.mustNotUse?.includes(name)) {
    return `${room.dir} must not import ${name}: the room that owns it offers what is needed`;
  }
  if (room.mayUse && !room.mayUse.includes(name)) {
    return `${room.dir} may use ${room.mayUse.join(', ') || 'no package at all'}, not ${name}`;
  }
  return undefined;
};

const packageName = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

const environmentViolations = (file: SourceFile): Violation[] => {
  const exempt = isEntryFile(file.path) || isTestFile(file.path) || isOutside(file.path);
  if (exempt || !file.path.includes('/')) return [];
  return [...file.code.matchAll(/\bprocess\s*\.\s*env\b|\bimport\.meta\.env\b/g)].map((match) => ({
    path: file.path,
    line: lineAt(file.code, match.index),
    rule: 'environment',
    message: 'reads process.env: only main.ts does, and hands on what it read',
  }));
};

const circleViolations = (tree: Tree): Violation[] => {
  const known = new Set(tree.sources.map(({ path }) => path));
  const edges = new Map<string, Edge[]>();
  for (const file of tree.sources) {
    const targets = importsOf(file).flatMap(({ specifier, line }) => {
      const target = resolve(file.path, specifier);
      return target !== undefined && known.has(target) ? [{ target, line }] : [];
    });
    edges.set(file.path, targets);
  }
  return cyclesIn(edges).map((circle) => ({
    path: circle.path,
    line: circle.line,
    rule: 'circle',
    message: `imports in a circle: ${circle.way.join(' -> ')}. Move what both need into a file of its own`,
  }));
};

/** The file of this tree that a specifier names. */
const resolve = (path: string, specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (!specifier.startsWith(scope)) return undefined;
  const [name, ...rest] = specifier.slice(scope.length).split('/');
  const dir = rooms[name!]?.dir ?? `tools/${name}`;
  return `${dir}/src/${rest.join('/')}.ts`;
};

/** pnpm's own lists must tell the same story as the table. */
const dependencyViolations = (tree: Tree): Violation[] =>
  Object.values(rooms).flatMap((room) => {
    const manifest = tree.others.find(({ path }) => path === `${room.dir}/package.json`);
    if (!manifest) return [];
    const { dependencies = {} } = JSON.parse(manifest.text) as {
      dependencies?: Record<string, string>;
    };
    return Object.keys(dependencies)
      .filter((name) =>
        name.startsWith(scope)
          ? !room.mayImport.includes(name.slice(scope.length))
          : (room.mustNotUse?.includes(name) ?? false),
      )
      .map((name) => ({
        path: manifest.path,
        line: lineAt(manifest.text, manifest.text.indexOf(`"${name}"`)),
        rule: 'boundary',
        message: `${room.dir} must not depend on ${name}: the table of floors does not allow it`,
      }));
  });
