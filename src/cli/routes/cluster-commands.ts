import { buildCommand } from '@stricli/core'
import { examples, file, json, overlay, parseCuda, parseTime } from '../flags.ts'
import { clusterAliases, clusterFlags, deployFlags } from '../place-flags.ts'

/** Commands about a service on Kubernetes. */

const render = buildCommand({
  loader: async () => (await import('../commands/cluster/render.ts')).render,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      env: overlay,
      namespace: {
        ...clusterFlags.namespace,
        brief: "Namespace of the objects; default: the spec's, else `default`",
      },
      form: {
        kind: 'enum',
        values: ['objects', 'service'],
        default: 'objects',
        brief: 'Kubernetes objects, or the sealed ModelService',
      },
      json,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Print what Kubernetes would get: sealed, and the same bytes each time',
    fullDescription: examples(
      'towline render > deploy.yaml',
      'towline render --env production -n cats | kubectl apply --server-side -f -',
      'towline render --form service',
    ),
  },
})

const gpu = buildCommand({
  loader: async () => (await import('../commands/cluster/gpu.ts')).gpu,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, optional: true }] },
    flags: {
      env: overlay,
      cuda: {
        kind: 'parsed',
        parse: parseCuda,
        optional: true,
        placeholder: 'VERSION',
        brief: 'CUDA of the image, such as 12.4: drivers are checked against it',
      },
      json,
      ...clusterFlags,
      namespace: { ...clusterFlags.namespace, brief: "Whose quotas count; default: the spec's, else the context's" },
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Show the GPUs of a cluster and who holds them; with a spec, how much of it would fit and where not',
    fullDescription: examples(
      'towline gpu',
      'towline gpu --context staging --json',
      'towline gpu towline.yaml -n cats --cuda 12.4',
    ),
  },
})

const deploy = buildCommand({
  loader: async () => (await import('../commands/cluster/deploy.ts')).deploy,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      env: overlay,
      dryRun: {
        kind: 'enum',
        values: ['server'],
        optional: true,
        brief: 'Have the cluster go through it, show the plan, store nothing',
      },
      wait: { kind: 'boolean', default: true, brief: 'Stay until it serves, or the revision before it is back' },
      timeout: {
        kind: 'parsed',
        parse: parseTime,
        optional: true,
        placeholder: 'TIME',
        brief: 'Stay no longer than this; it goes on in the cluster',
      },
      ...deployFlags,
      json,
      ...clusterFlags,
      namespace: { ...clusterFlags.namespace, brief: "Where it goes; default: the spec's, else the context's" },
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Apply a service to Kubernetes and see to it that it serves, or that the revision before it is back',
    fullDescription: examples(
      'towline deploy -n cats',
      'towline deploy --env production --context prod -n cats --dry-run server',
      'towline deploy towline.yaml -n cats --timeout 10m --json',
    ),
  },
})

export const clusterCommands = { render, deploy, gpu }
