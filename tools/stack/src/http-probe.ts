// Asks a process on loopback how it is.
// Why: a probe is made dozens of times while a stack starts; it must be light and must end.
// Law: an answer other than 200 is "no"; nothing listening is "no" too.
import { get } from 'node:http';

const timeoutMs = 2000;

/** Whether GET http://127.0.0.1:port/path answers 200. */
export const answersOk = (port: number, path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs });
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.once('close', () => resolve(false));
  });
