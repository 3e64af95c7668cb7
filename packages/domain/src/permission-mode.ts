/**
 * Whether an agent uses its own tools unasked, or asks a person before each of them.
 *
 * Law: nobody loosens what another has tightened: where the contract says `ask`, every agent of it asks.
 */
export const permissionModes = ['bypass', 'ask'] as const;

export type PermissionMode = (typeof permissionModes)[number];

/** The mode of an agent whose contract says one thing and whose task another. */
export function strictestMode(...modes: readonly PermissionMode[]): PermissionMode {
  return modes.includes('ask') ? 'ask' : 'bypass';
}
