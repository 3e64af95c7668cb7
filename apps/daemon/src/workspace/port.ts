/**
 * What the daemon wants of git, in the words of its commands. The rooms above (`session`, `commands`) know
 * this port only; `git.ts` carries it out.
 *
 * Law: every function may be called again after a crash in its middle and comes to the same end; work on one
 * repository goes one after the other and holds up nothing else.
 */
import type { CommandOf, RepositorySpec, TaskStart } from '@makima/contracts/socket/commands';
import type { ForgeSettings } from '../forge/settings.ts';
import type { OperationResult } from '@makima/contracts/socket/reports';

/** The forge with the machine's token for it. */
export interface ForgeUse {
  readonly settings: ForgeSettings;
  readonly token: string;
}

export type ResultOf<K extends OperationResult['kind']> = Extract<OperationResult, { kind: K }>;

/** What stays known of a task on this machine after its agent is gone; one small file per task. */
export interface TaskRecord {
  readonly taskId: string;
  /** The latest attempt that was prepared here. */
  readonly attempt: number;
  readonly contractSlug: string | null;
  readonly name: string;
  readonly isSupervisor: boolean;
  readonly repository: RepositorySpec | null;
  /** The task's branch in its own repository. */
  readonly branch: string;
  readonly contractBranch: string | null;
  /** The working directory, and whose it is when the supervisor's is shared. */
  readonly directory: string;
  readonly sharedWith: string | null;
  /** Where the branch began; null without a repository. */
  readonly baseSha: string | null;
  readonly agent: string;
  readonly sessionId: string;
  /** The branch's end when the daemon committed what the agent had left uncommitted; else null. */
  readonly settledSha: string | null;
  /** A commit on top of the branch with what an attempt that did not finish left uncommitted; else null. */
  readonly leftoverSha: string | null;
  /** False from its preparation until what its agent left stands in the store. */
  readonly collected: boolean;
}

export interface PatchSource {
  readonly baseSha: string;
  /** The patch, gzip as it came. */
  readonly patch: Buffer;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** The record of an earlier attempt, of the supervisor or of the task to continue from, by task id. */
  readonly recordOf: (taskId: string) => Promise<TaskRecord | null>;
  /** Whether an agent of another task works in this directory, or is about to. */
  readonly isLivedIn: (directory: string) => Promise<boolean>;
  /** Fetches the checkpoint's patch; called only when the directory has to be rebuilt from it. */
  readonly fetchPatch: () => Promise<PatchSource | null>;
}

export interface Prepared {
  readonly directory: string;
  /** The branch that is checked out there: an earlier attempt's when its directory goes on. */
  readonly branch: string;
  readonly sharedWith: string | null;
  readonly baseSha: string | null;
  /** Files that were to be copied in and were not, and why. */
  readonly notCopied: readonly { readonly path: string; readonly reason: string }[];
  /** A former attempt's directory that this one does not go on in and that was not removed; and why. */
  readonly stays?: { readonly directory: string; readonly reason: string };
}

/** What was taken over from a working directory. */
export interface Collected {
  /** Head of the task's branch in the store; null when there is no repository. */
  readonly commitSha: string | null;
  /** The same when it was the daemon who committed last. */
  readonly settledSha: string | null;
  /** Where work stands that is on no branch; null when there is none. */
  readonly keptRef: string | null;
  /** The commit there, when it is what was left uncommitted on top of the branch. */
  readonly leftoverSha: string | null;
}

/** Work of an attempt on a ref of its own. */
export interface KeptWork {
  readonly taskId: string;
  readonly attempt: number;
  readonly ref: string;
  /** What it holds. */
  readonly sha: string;
  /** The word of the ref. */
  readonly why: string;
  /** The contract's branch, as this machine has it, holds it now. */
  readonly merged: boolean;
}

export interface KeptLook {
  /** Not looked at. */
  readonly isKnown: (kept: Pick<KeptWork, 'ref' | 'sha'>) => boolean;
  /** The branch that a task's work is merged into; null where none is known. */
  readonly branchOf: (taskId: string) => Promise<string | null>;
  /** By kept commit the head of that branch which held it when it was last looked at: written and read here. */
  readonly heldBy: Map<string, string>;
  /** A store, or a ref of one, that git cannot read: it is passed over. */
  readonly unreadable: (
    at: { readonly store: string; readonly ref?: string },
    error: unknown,
  ) => void;
}

/** Where the commits to merge are, beside the store. */
export interface MergeSources {
  /** The record of a task whose agent lives: its newest commits are taken over first. */
  readonly living: TaskRecord | null;
  /** The pack of another machine's commits, when the command names one; null when it is empty. */
  readonly fetchPack: () => Promise<Buffer | null>;
}

/** A contract's branch on its way here: the head that it has by now, and what leads there; null when nothing was sent. */
export interface CarriedBranch {
  readonly commitSha: string;
  readonly pack: Buffer | null;
}

export interface Workspace {
  /** The store, the working directory on its branch, files copied. */
  prepare(start: TaskStart, options: PrepareOptions): Promise<Prepared>;
  /**
   * Takes commits over into the store and saves what is not committed: as a commit of the branch, or on a
   * `refs/makima/kept/…` ref.
   */
  collect(
    record: TaskRecord,
    options: { readonly leftovers: 'commit' | 'keep'; readonly why: string },
  ): Promise<Collected>;
  checkpoint(
    record: TaskRecord,
    command: CommandOf<'task.checkpoint'>,
  ): Promise<{ readonly result: ResultOf<'task.checkpoint'>; readonly patch: Uint8Array | null }>;
  diff(record: TaskRecord): Promise<ResultOf<'task.diff'>>;
  merge(
    command: CommandOf<'branch.merge'>,
    sources: MergeSources,
  ): Promise<ResultOf<'branch.merge'>>;
  /** The commits that no other copy of the source has; `pack` is null when there are none. */
  pack(
    living: TaskRecord | null,
    command: CommandOf<'task.pack'>,
    maxBytes: number,
  ): Promise<{ readonly commitSha: string; readonly pack: Buffer | null }>;
  /** What leads to this commit and no other copy of the source has; null when that is nothing. */
  packCommit(
    repository: RepositorySpec,
    commitSha: string,
    maxBytes: number,
  ): Promise<Buffer | null>;
  /** With the record of a task whose agent lives, the branch begins at its newest commit. */
  branch(
    living: TaskRecord | null,
    command: CommandOf<'branch.create'>,
  ): Promise<ResultOf<'branch.create'>>;
  /** The branch stands, in the repository that is named or else in the store. */
  handOver(
    living: TaskRecord | null,
    command: CommandOf<'branch.hand_over'>,
  ): Promise<ResultOf<'branch.hand_over'>>;
  /** The branch pushed, and its pull request opened or found. */
  propose(command: CommandOf<'pr.open'>, use: ForgeUse): Promise<ResultOf<'pr.open'>>;
  deliver(command: CommandOf<'branch.deliver'>): Promise<ResultOf<'branch.deliver'>>;
  check(command: CommandOf<'evidence.check'>): Promise<ResultOf<'evidence.check'>>;
  /** All that is kept on this machine and not known yet. */
  kept(look: KeptLook): Promise<readonly KeptWork[]>;
  /**
   * `head`: where the contract's branch stands, null where nothing was merged into it; not given, it is as this
   * machine has it.
   */
  clean(
    record: TaskRecord,
    head: CommandOf<'workdir.clean'>['contractHead'],
  ): Promise<ResultOf<'workdir.clean'>>;
  readFile(
    record: TaskRecord,
    filePath: string,
  ): Promise<{
    readonly content: string;
    readonly exists: boolean;
    readonly refused: string | null;
  }>;
}
