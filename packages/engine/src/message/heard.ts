/** What an agent was told, as a part of its conversation: its plan at first, and every message that it read. */
import type { NewMessage } from '@makima/db/repo/talk';

export function heardMessage(role: 'system' | 'user', content: string, at: Date): NewMessage {
  return {
    role,
    content,
    toolName: null,
    toolUseId: null,
    toolInput: null,
    isError: false,
    at: at.toISOString(),
  };
}
