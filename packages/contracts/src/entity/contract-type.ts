/** Contract types on the wire: phases in order, what each owes, and the gate that it is left through. */
import { z } from 'zod';
import { typeLimits } from '@makima/domain/contract-type';
import { zTime } from '../ids.ts';
import { wireLimits } from '../limits.ts';

const zWord = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, { error: 'must be lower case with dashes' });

export const zTaskRequirement = z.union([
  z.enum(['none', 'settled', 'all_complete']),
  z.strictObject({ atLeast: z.int().min(1).max(10_000) }),
  z.strictObject({ named: z.array(z.string().min(1).max(wireLimits.nameChars)).min(1).max(100) }),
]);

export const zGateInput = z.strictObject({
  /** What it asks of the phase's tasks; `settled`: none is still under way. */
  tasks: zTaskRequirement.default('none'),
  /** A program and its arguments, run at the branch's commit in a clean environment: 0 is a yes. */
  validator: z.array(z.string().min(1).max(2_000)).min(1).max(50).optional(),
  validatorTimeoutSeconds: z.int().min(1).max(3_600).optional(),
  /** False: the owner is told that the gate is met, and nothing moves by itself. */
  autoAdvance: z.boolean().optional(),
});

export const zPhaseInput = z.strictObject({
  name: zWord,
  deliverables: z
    .array(
      z.strictObject({
        id: zWord,
        name: z.string().min(1).max(wireLimits.nameChars),
        required: z.boolean().default(true),
      }),
    )
    .max(typeLimits.deliverables)
    .default([]),
  gate: zGateInput.default({ tasks: 'none' }),
});

/** The content of a type's file, too. The last phase is the terminal one: leaving it is completion. */
export const zContractTypeInput = z.strictObject({
  name: zWord,
  phases: z.array(zPhaseInput).min(1).max(typeLimits.phases),
});
export type ContractTypeInput = z.infer<typeof zContractTypeInput>;

export const zContractType = z.object({
  name: z.string(),
  version: z.int(),
  /** Comes with makima. */
  builtin: z.boolean(),
  phases: z.array(
    z.object({
      name: z.string(),
      terminal: z.boolean(),
      deliverables: z.array(z.object({ id: z.string(), name: z.string(), required: z.boolean() })),
      gate: z.object({
        tasks: zTaskRequirement,
        validator: z.array(z.string()).optional(),
        validatorTimeoutSeconds: z.int().optional(),
        autoAdvance: z.boolean().optional(),
      }),
    }),
  ),
  createdBy: z.string().nullable(),
  createdAt: zTime.nullable(),
});
export type ContractTypeView = z.infer<typeof zContractType>;
