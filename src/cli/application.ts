import {
  type Application,
  ExitCode,
  buildApplication,
  buildCommand,
  buildRouteMap,
  run,
  type StricliProcess,
  text_en,
} from '@stricli/core'
import { TowlineError, codes, hasErrno } from '../base/errors.ts'
import { parseDuration } from '../base/duration.ts'
import { readVersion } from '../base/process/version.ts'
import type { CliContext } from './context.ts'
import { projectFlag } from './project.ts'
import { renderFailure } from './term/failure.ts'
import { createTerminal } from './term/terminal.ts'

const json = { kind: 'boolean', default: false, brief: 'Print JSON for scripts', withNegated: false } as const
const file = { brief: 'towline.yaml or towline.config.ts', parse: String, placeholder: 'FILE' } as const
const overlay = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'NAME',
  brief: 'Overlay: `production` applies towline.production.yaml',
} as const
const envFile = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'FILE',
  brief: 'Values for `env`, as NAME=value lines',
} as const
const examples = (...lines: readonly string[]): string => `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}`

const up = buildCommand({
  loader: async () => (await import('./commands/up.ts')).up,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      env: overlay,
      envFile,
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
  loader: async () => (await import('./commands/status.ts')).status,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'One service', parse: String, optional: true, placeholder: 'NAME' }],
    },
    flags: {
      json,
      watch: { kind: 'boolean', default: false, brief: 'Go on printing at each change', withNegated: false },
      project: projectFlag,
    },
    aliases: { w: 'watch' },
  },
  docs: {
    brief: 'Show what runs, and why something was restarted',
    fullDescription: examples('towline status', 'towline status image-classifier --json'),
  },
})

const logs = buildCommand({
  loader: async () => (await import('./commands/logs.ts')).logs,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'One service', parse: String, optional: true, placeholder: 'NAME' }],
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
      json,
      project: projectFlag,
    },
    aliases: { f: 'follow', n: 'tail' },
  },
  docs: {
    brief: 'Show the logs of all replicas, the gateway and the engine, in order of time',
    fullDescription: examples('towline logs -f', 'towline logs image-classifier --since 10m --json'),
  },
})

const down = buildCommand({
  loader: async () => (await import('./commands/down.ts')).down,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'One service', parse: String, optional: true, placeholder: 'NAME' }],
    },
    flags: {
      all: { kind: 'boolean', default: false, brief: 'Every service of this project', withNegated: false },
      project: projectFlag,
    },
  },
  docs: {
    brief: 'Drain and stop a service',
    fullDescription: examples('towline down image-classifier', 'towline down --all'),
  },
})

const infer = buildCommand({
  loader: async () => (await import('./commands/infer.ts')).infer,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Name of a service here, or its address', parse: String, placeholder: 'NAME|URL' },
        { brief: 'A photo (JPEG, PNG, WebP) or a request as JSON', parse: String, placeholder: 'FILE' },
      ],
    },
    flags: {
      json,
      top: { kind: 'parsed', parse: parseCount, optional: true, placeholder: 'N', brief: 'Show the N best classes' },
      timeout: {
        kind: 'parsed',
        parse: parseTime,
        default: '30s',
        placeholder: 'TIME',
        brief: 'Give up after this time',
      },
      project: projectFlag,
    },
  },
  docs: {
    brief: 'Send a photo or a request to a running service',
    fullDescription: examples(
      'towline infer image-classifier cat.jpg',
      'towline infer http://127.0.0.1:8080 request.json --json',
    ),
  },
})

const init = buildCommand({
  loader: async () => (await import('./commands/init.ts')).init,
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
  loader: async () => (await import('./commands/check.ts')).check,
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
  loader: async () => (await import('./commands/serve.ts')).serve,
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

const completion = buildCommand({
  loader: async () => (await import('./commands/completion.ts')).completion,
  parameters: {
    positional: {
      kind: 'array',
      parameter: { brief: 'bash, zsh or fish', parse: String, optional: true, placeholder: 'SHELL' },
    },
  },
  docs: {
    brief: 'Print what a shell needs to complete towline',
    fullDescription: examples(
      'source <(towline completion bash)',
      'towline completion fish > ~/.config/fish/completions/towline.fish',
    ),
  },
})

const routes = buildRouteMap({
  routes: { up, status, logs, infer, down, init, check, serve, completion },
  docs: {
    brief: 'Tow a trained model from a laptop to a fleet',
    fullDescription: `Tow a trained model from a laptop to a fleet.\n\n${examples('towline init model.onnx', 'towline up towline.yaml', 'towline infer image-classifier cat.jpg')}`,
  },
})

export function createApplication(): Application<CliContext> {
  const renderOwn = (error: unknown): string => renderFailure(createTerminal(process), error)
  return buildApplication(routes, {
    name: 'towline',
    versionInfo: { currentVersion: readVersion() },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab', disableAnsiColor: !process.stdout.isTTY },
    localization: {
      text: {
        ...text_en,
        exceptionWhileRunningCommand: renderOwn,
        commandErrorResult: renderOwn,
        exceptionWhileLoadingCommandFunction: renderOwn,
      },
    },
    determineExitCode: (error) => (error instanceof TowlineError ? codes[error.code].exit : 70),
  })
}

/** Runs one command line and leaves its exit code in `process.exitCode`: 2 for what was not understood. */
export async function runCli(args: readonly string[]): Promise<void> {
  // `towline logs | head`: the reader has had enough, which is no failure.
  process.stdout.on('error', (error) => {
    if (hasErrno(error, 'EPIPE')) process.exit(0)
    throw error
  })
  await run(createApplication(), args, {
    process: process as StricliProcess,
    terminal: createTerminal(process),
    cwd: process.cwd(),
  })
  const code = process.exitCode
  if (code === ExitCode.InvalidArgument || code === ExitCode.UnknownCommand) process.exitCode = 2
  else if (typeof code === 'number' && code < 0) process.exitCode = 70
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (port > 65_535) throw new Error(`\`${text}\` is not a port; ports are 0 to 65535`)
  return port
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`\`${text}\` is not a count; write a whole number from 1`)
  return Number(text)
}

function parseTime(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs === undefined || durationMs === 0)
    throw new Error(`\`${text}\` is not a duration; write 30s, 10m or 1h30m`)
  return durationMs
}
