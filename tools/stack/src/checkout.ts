// Where this checkout and its caches lie.
// Why: the commands are started from any folder; paths are taken from the place of this file.
// Law: caches can be deleted at any time and are made again.
import { join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../../..');
export const cacheDir = join(checkout, '.cache');
export const redisCacheDir = join(cacheDir, 'redis');
export const compileCacheDir = join(cacheDir, 'v8');
