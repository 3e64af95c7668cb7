/** What an operation made that is too large for its result, told in parts. Answers how many there were. */
import { wireLimits } from '@makima/contracts/limits';
import type { Report } from '@makima/contracts/socket/reports';

/** Bytes whose base64 fills a part. */
const partBytes = Math.floor(wireLimits.chunkBytes / 4) * 3;

export async function tellParts(
  operationId: string,
  bytes: Uint8Array | null,
  tell: (report: Report) => Promise<void>,
): Promise<number> {
  const parts = bytes === null ? 0 : Math.ceil(bytes.length / partBytes);
  for (let part = 0; part < parts; part++) {
    const chunk = bytes?.subarray(part * partBytes, (part + 1) * partBytes) ?? new Uint8Array();
    const data = Buffer.from(chunk).toString('base64');
    await tell({ kind: 'patch.stored', operationId, part, data });
  }
  return parts;
}
