/**
 * Bodies to begin from, one per endpoint where guessing would be hard.
 *
 * Law: each is accepted by the schema of its endpoint; a test says so.
 */
import type { EndpointId } from '@makima/contracts/http/all';

const contractId = '0196f2a0-5c4e-7c1a-9d55-2f0a6b1c7e10';
const taskId = '0196f2a1-0d33-7f02-8a44-6b7e9c3d2a51';

export const examples: Readonly<Partial<Record<EndpointId | (string & {}), unknown>>> = {
  createContract: {
    name: 'Fix the login redirect',
    description:
      'After signing in, people land on a blank page. Find out why and fix it, with a test.',
    contractType: 'specification',
    repositories: [{ localPath: '/home/ada/src/shop', baseBranch: 'main' }],
    phaseGuard: ['specify', 'execute'],
  },
  patchContract: { name: 'Fix the login redirect for good', expectedVersion: 3 },
  addRepository: { repositoryUrl: 'https://git.example.com/shop.git', baseBranch: 'main' },
  trustRepository: { trusted: true },
  changePhase: { phase: 'execute', expectedVersion: 4 },
  changeStatus: { targetStatus: 'paused', reason: 'waiting for the design' },
  resumeSupervisor: {
    resumeMode: 'continue',
    additionalContext: 'The staging database is back.',
  },
  setAutoComplete: { enabled: false },
  batchContracts: { operation: 'archive_old', older_than_hours: 168, dry_run: true },
  putContractType: {
    name: 'careful',
    phases: [
      { name: 'plan', deliverables: [{ id: 'plan-document', name: 'Plan document' }] },
      {
        name: 'build',
        deliverables: [{ id: 'implementation', name: 'Implementation' }],
        gate: { tasks: 'all_complete', validator: ['npm', 'test'], autoAdvance: false },
      },
    ],
  },
  createWebhook: {
    url: 'https://hooks.example.com/makima',
    eventTypes: ['question.asked', 'contract.completed', 'contract.failed'],
  },
  patchWebhook: { enabled: true },
  rotateWebhookSecret: { overlapSeconds: 86_400 },
  replayWebhook: { since: '2026-03-01T10:00:00Z' },
  completeDeliverable: {
    phase: 'execute',
    evidence: [
      { kind: 'merged', taskId },
      { kind: 'command', command: ['npm', 'test'], timeoutSeconds: 300 },
    ],
  },
  spawnTask: {
    contractId,
    name: 'Reproduce the blank page',
    plan: 'Write a failing test that shows the blank page after signing in. Commit it.',
    needs: [],
  },
  waitForTask: { timeoutSeconds: 300 },
  waitForTasks: { taskIds: [taskId], mode: 'all', timeoutSeconds: 240 },
  readTaskFile: { filePath: 'src/login.ts' },
  createCheckpoint: { message: 'the test fails as it should' },
  mergeTask: { squash: true },
  createPullRequest: {
    contractId,
    branch: 'makima/fix-the-login-redirect',
    title: 'Fix the login redirect',
    body: 'People land on the page they came from.',
  },
  createBranch: { branchName: 'try-two', fromRef: 'main', contractId },
  messageTask: { message: 'The redirect is decided in src/session.ts.', mode: 'steer' },
  cancelTask: { reason: 'no longer needed' },
  askQuestion: {
    question: 'Where should people land after signing in?',
    choices: ['The page they came from', 'The start page'],
    context: 'Both exist in the code; the test expects the first.',
  },
  answerQuestion: { response: 'The page they came from' },
  createDirective: {
    title: 'Keep dependencies fresh',
    goal: 'No dependency is more than two minor versions behind; security releases within a day.',
    reconcileMode: 'semi-auto',
    localPath: '/home/ada/src/shop',
    baseBranch: 'main',
  },
  patchDirective: { reconcileMode: 'manual', expectedVersion: 1 },
  startDirectiveTask: { name: 'Look at the lock file' },
  placeOrder: {
    title: 'Raise zod to 4.2',
    description: 'Two deprecations of it are used in src/api.',
    orderType: 'chore',
    labels: ['deps'],
  },
  acceptOrder: { phaseGuard: false },
  dismissOrder: { reason: 'We leave that library next month.' },
  createEnrolment: { name: 'ada-laptop' },
  enrolDaemon: { token: 'mk_join_…', name: 'ada-laptop', host: 'ada-laptop.local' },
  createKey: { name: 'nightly script', scopes: ['read', 'write'], expiresInDays: 90 },
};
