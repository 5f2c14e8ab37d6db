import { buildCommand } from '@stricli/core'
import {
  apiKeyFile,
  envFile,
  examples,
  file,
  json,
  maybeService,
  oneService,
  overlay,
  payload,
  target,
  timeout,
  parseCount,
  parseRate,
  parsePort,
  parseReplicas,
  parseTime,
} from '../flags.ts'
import { clusterAliases, placeFlags } from '../place-flags.ts'
import { projectFlag } from '../project.ts'

/** Commands about what runs. */

const up = buildCommand({
  loader: async () => (await import('../commands/up.ts')).up,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      env: overlay,
      envFile,
      apiKeys: apiKeyFile,
      port: {
        kind: 'parsed',
        parse: parsePort,
        optional: true,
        placeholder: 'N',
        brief: 'Port of the service; 0: any free one; default: the one it had, else from 8080',
      },
      detach: {
        kind: 'boolean',
        default: false,
        brief: 'Leave it running and return when it is ready',
        withNegated: false,
      },
      lease: {
        kind: 'parsed',
        parse: parseTime,
        optional: true,
        placeholder: 'TIME',
        brief: 'How long replicas serve on without an engine; default: 30s, or what the running engine has',
      },
      project: projectFlag,
    },
    aliases: { d: 'detach', p: 'port' },
  },
  docs: {
    brief: 'Run a service here: replicas, gateway, probes',
    fullDescription: examples(
      'towline up',
      'towline up towline.yaml --detach',
      'towline up towline.yaml --env staging --port 9000',
    ),
  },
})

const status = buildCommand({
  loader: async () => (await import('../commands/status.ts')).status,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [maybeService],
    },
    flags: {
      json,
      watch: { kind: 'boolean', default: false, brief: 'Go on printing at each change', withNegated: false },
      ...placeFlags,
    },
    aliases: { ...clusterAliases, w: 'watch' },
  },
  docs: {
    brief: 'Show what runs, and why something was restarted',
    fullDescription: examples(
      'towline status',
      'towline status image-classifier --json',
      'towline status --context staging -n cats',
    ),
  },
})

const top = buildCommand({
  loader: async () => (await import('../commands/top.ts')).top,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [maybeService],
    },
    flags: {
      interval: { kind: 'parsed', parse: parseTime, default: '1s', placeholder: 'TIME', brief: 'Between two looks' },
      json,
      ...placeFlags,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Show load, latency, CPU and memory as they change; piped: one look',
    fullDescription: examples('towline top', 'towline top image-classifier --interval 5s', 'towline top --json'),
  },
})

const why = buildCommand({
  loader: async () => (await import('../commands/why.ts')).why,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: { json, ...placeFlags },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Explain the present state of a service in one paragraph',
    fullDescription: examples('towline why image-classifier', 'towline why image-classifier --context staging -n cats'),
  },
})

const events = buildCommand({
  loader: async () => (await import('../commands/events.ts')).events,
  parameters: {
    positional: { kind: 'tuple', parameters: [oneService] },
    flags: {
      count: { kind: 'parsed', parse: parseCount, default: '50', placeholder: 'N', brief: 'Only the last N' },
      json,
      ...placeFlags,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Show what happened to a service: starts, ends with their reasons, changes of size',
    fullDescription: examples('towline events image-classifier', 'towline events image-classifier --count 5 --json'),
  },
})

const logs = buildCommand({
  loader: async () => (await import('../commands/logs.ts')).logs,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [maybeService],
    },
    flags: {
      follow: { kind: 'boolean', default: false, brief: 'Go on with new lines', withNegated: false },
      replica: { kind: 'parsed', parse: String, optional: true, placeholder: 'R', brief: 'Only this replica' },
      since: {
        kind: 'parsed',
        parse: parseTime,
        optional: true,
        placeholder: 'TIME',
        brief: 'Only the last 10m, 1h, …',
      },
      tail: { kind: 'parsed', parse: parseCount, optional: true, placeholder: 'N', brief: 'Only the last N lines' },
      previous: {
        kind: 'boolean',
        default: false,
        brief: 'Cluster: of the containers before those that run now',
        withNegated: false,
      },
      json,
      ...placeFlags,
    },
    aliases: { ...clusterAliases, f: 'follow' },
  },
  docs: {
    brief: 'Show the logs of all replicas, the gateway and the engine, in order of time',
    fullDescription: examples(
      'towline logs -f',
      'towline logs image-classifier --since 10m --json',
      'towline logs image-classifier -n cats --tail 100',
    ),
  },
})

const scale = buildCommand({
  loader: async () => (await import('../commands/scale.ts')).scale,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        oneService,
        { brief: 'So many from now on; 0 turns requests away', parse: parseReplicas, placeholder: 'REPLICAS' },
      ],
    },
    flags: { ...placeFlags },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Set the number of replicas until the spec has another one, and wait until they serve',
    fullDescription: examples('towline scale image-classifier 3', 'towline scale image-classifier 3 -n cats'),
  },
})

const restart = buildCommand({
  loader: async () => (await import('../commands/rollout/restart.ts')).restart,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [maybeService],
    },
    flags: {
      gateway: {
        kind: 'boolean',
        default: false,
        brief: 'Replace the gateway, which all services share',
        withNegated: false,
      },
      ...placeFlags,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Replace replicas by new ones, one by one, or the gateway; no request is lost',
    fullDescription: examples('towline restart image-classifier', 'towline restart --gateway'),
  },
})

const down = buildCommand({
  loader: async () => (await import('../commands/down.ts')).down,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [maybeService],
    },
    flags: {
      all: {
        kind: 'boolean',
        default: false,
        brief: 'Every service of this project, or of the namespace',
        withNegated: false,
      },
      ...placeFlags,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Drain and stop a service',
    fullDescription: examples(
      'towline down image-classifier',
      'towline down --all',
      'towline down image-classifier -n cats',
    ),
  },
})

const infer = buildCommand({
  loader: async () => (await import('../commands/infer.ts')).infer,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [target, payload],
    },
    flags: {
      json,
      top: { kind: 'parsed', parse: parseCount, optional: true, placeholder: 'N', brief: 'Show the N best classes' },
      timeout,
      ...placeFlags,
    },
    aliases: clusterAliases,
  },
  docs: {
    brief: 'Send a photo or a request to a running service',
    fullDescription: examples(
      'towline infer image-classifier cat.jpg',
      'towline infer http://127.0.0.1:8080 request.json --json',
      'towline infer image-classifier cat.jpg --context staging -n cats',
    ),
  },
})

const bench = buildCommand({
  loader: async () => (await import('../commands/bench.ts')).bench,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [target, payload],
    },
    flags: {
      rate: { kind: 'parsed', parse: parseRate, default: '10', placeholder: 'N', brief: 'Requests due each second' },
      duration: { kind: 'parsed', parse: parseTime, default: '10s', placeholder: 'TIME', brief: 'For how long' },
      arrivals: {
        kind: 'enum',
        values: ['poisson', 'constant'],
        default: 'poisson',
        brief: 'At random, as many independent callers do, or evenly',
      },
      connections: {
        kind: 'parsed',
        parse: parseCount,
        default: '64',
        placeholder: 'N',
        brief: 'At most so many at a time',
      },
      timeout,
      out: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'Also write the report, as JSON',
      },
      json,
      project: projectFlag,
    },
  },
  docs: {
    brief: 'Send load at a fixed rate and show the latency from the moment each request was due',
    fullDescription: examples(
      'towline bench image-classifier cat.jpg --rate 50 --duration 30s',
      'towline bench http://127.0.0.1:8080 request.json --arrivals constant --out report.json',
    ),
  },
})

const test = buildCommand({
  loader: async () => (await import('../commands/test.ts')).test,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      env: overlay,
      plan: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'The checks; default: towline.test.yaml beside the spec',
      },
      url: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'URL',
        brief: 'Where the service is asked, when something stands before its gateway',
      },
      envFile,
      apiKeys: apiKeyFile,
      timeout,
      json,
      project: projectFlag,
    },
  },
  docs: {
    brief: 'Check the answers and the speed of a running service; with --env, write down the result for the gate',
    fullDescription: examples(
      'towline test --env staging',
      'towline test towline.yaml --env staging --plan checks.yaml --json',
    ),
  },
})

export const serviceCommands = { up, status, top, why, events, logs, infer, bench, test, scale, restart, down }
