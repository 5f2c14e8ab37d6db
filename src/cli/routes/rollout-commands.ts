import { buildCommand } from '@stricli/core'
import { apiKeyFile, envFile, examples, file, json, oneService, overlay, parseRevision } from '../flags.ts'
import { clusterAliases, clusterFlags, deployFlags, placeFlags } from '../place-flags.ts'
import { projectFlag } from '../project.ts'

/** Commands about one revision taking the place of another. */

const wait = { kind: 'boolean', default: true, brief: 'Follow the rollout to its end' } as const
const followed = { json, wait, ...placeFlags }

const plan = buildCommand({
  loader: async () => (await import('../commands/rollout/plan.ts')).plan,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: { env: overlay, envFile, apiKeys: apiKeyFile, json, project: projectFlag, ...clusterFlags, ...deployFlags },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Show what `up` would change here, or `deploy` on a cluster; changes nothing',
    fullDescription: examples(
      'towline plan',
      'towline plan towline.yaml --env production --json',
      'towline plan --context prod -n cats',
    ),
  },
})

const promote = buildCommand({
  loader: async () => (await import('../commands/rollout/promote.ts')).promote,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: {
      full: {
        kind: 'boolean',
        default: false,
        brief: 'Past all steps, whatever the judge says',
        withNegated: false,
      },
      ...followed,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Let a rollout go past its present step',
    fullDescription: examples('towline promote image-classifier', 'towline promote image-classifier --full --no-wait'),
  },
})

const pause = buildCommand({
  loader: async () => (await import('../commands/rollout/pause.ts')).pause,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: { json, ...placeFlags },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Hold a rollout where it is; alarms still turn it back',
    fullDescription: examples('towline pause image-classifier'),
  },
})

const resume = buildCommand({
  loader: async () => (await import('../commands/rollout/resume.ts')).resume,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: { json, ...placeFlags },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Let a rollout that was paused go on, or have it judged again; a manual step needs `promote`',
    fullDescription: examples('towline resume image-classifier'),
  },
})

const abort = buildCommand({
  loader: async () => (await import('../commands/rollout/abort.ts')).abort,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: followed,
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Turn a rollout back to the revision that served before',
    fullDescription: examples('towline abort image-classifier', 'towline abort image-classifier --no-wait --json'),
  },
})

const rollback = buildCommand({
  loader: async () => (await import('../commands/rollout/rollback.ts')).rollback,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        oneService,
        {
          brief: 'One of `towline history`; default: the one before',
          parse: parseRevision,
          optional: true,
          placeholder: 'REVISION',
        },
      ],
    },
    flags: followed,
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Go back to a revision that has served before',
    fullDescription: examples(
      'towline rollback image-classifier',
      'towline rollback image-classifier 3',
      'towline rollback image-classifier --context prod -n cats',
    ),
  },
})

const retry = buildCommand({
  loader: async () => (await import('../commands/rollout/retry.ts')).retry,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: followed,
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Try again what was rejected, unchanged',
    fullDescription: examples('towline retry image-classifier'),
  },
})

const history = buildCommand({
  loader: async () => (await import('../commands/rollout/history.ts')).history,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: { json, ...placeFlags },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Show the revisions that are kept and the rollouts that have ended',
    fullDescription: examples('towline history image-classifier', 'towline history image-classifier --json'),
  },
})

export const rolloutCommands = { plan, promote, pause, resume, abort, rollback, retry, history }
