/**
 * The program of the scripted agent.
 *
 * Law: the only file here that reads the environment. It imports nothing but Node before the compile cache is on: one starts for every task, in half the time.
 */
import { enableCompileCache } from 'node:module';
import { resolve } from 'node:path';

enableCompileCache(resolve(import.meta.dirname, '../../../../.cache/v8'));

const { live } = await import('./process.ts');

live(process.env);
