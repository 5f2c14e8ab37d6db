import { buildCommand } from '@stricli/core'
import { examples, file, json, overlay, parsePort } from '../flags.ts'

/** Commands about a model and its spec; none needs an engine. */

const init = buildCommand({
  loader: async () => (await import('../commands/init.ts')).init,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'An ONNX file, or a folder with model.onnx', parse: String, placeholder: 'MODEL' }],
    },
    flags: {
      name: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: 'Name of the service; default: from the file',
      },
      labels: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'One label a line, in the order of the classes',
      },
      force: { kind: 'boolean', default: false, brief: 'Replace files that are there', withNegated: false },
    },
  },
  docs: {
    brief: 'Write a spec, and a card where it fits, from a model file',
    fullDescription: examples('towline init model.onnx', 'towline init ./model --name cats --labels labels.txt'),
  },
})

const check = buildCommand({
  loader: async () => (await import('../commands/check.ts')).check,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: { env: overlay, json },
  },
  docs: {
    brief: 'Find the mistakes in a spec',
    fullDescription: examples('towline check', 'towline check towline.yaml --env production --json'),
  },
})

const serve = buildCommand({
  loader: async () => (await import('../commands/serve.ts')).serve,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      port: {
        kind: 'parsed',
        parse: parsePort,
        default: '8080',
        placeholder: 'N',
        brief: 'Port of the protocol; 0: any free one',
      },
      metricsPort: {
        kind: 'parsed',
        parse: parsePort,
        default: '0',
        placeholder: 'N',
        brief: 'Port of /metrics; 0: any free one',
      },
      host: {
        kind: 'parsed',
        parse: String,
        default: '127.0.0.1',
        placeholder: 'ADDRESS',
        brief: 'Address to listen on',
      },
    },
    aliases: { p: 'port' },
  },
  docs: {
    brief: 'Run one replica in the foreground, without an engine',
    fullDescription: examples('towline serve towline.yaml --port 9000'),
  },
})

export const modelCommands = { init, check, serve }
