// Preloaded into a service (`--import`): its clock goes wrong by as much as a file says, while it runs. The file is
// named behind the `?` of the import.
// Why: a machine whose clock jumps must not end leases early, and nothing else here can move one.
// Law: only the wall clock moves; what it has taken over is written beside the file, as proof.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL(import.meta.url).searchParams.get('file');
const lookEveryMs = 100;

if (file !== null) {
  let shiftMs = 0;
  const RealDate = Date;
  const now = (): number => RealDate.now() + shiftMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, self) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, self) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, name, self) =>
      name === 'now' ? now : (Reflect.get(target, name, self) as unknown),
  });
  setInterval(() => {
    const wished = readShift(file);
    if (wished === shiftMs) return;
    shiftMs = wished;
    writeFileSync(`${file}.seen`, String(shiftMs));
  }, lookEveryMs).unref();
}

function readShift(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    return 0;
  }
}
