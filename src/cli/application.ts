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
import { TowlineError, codes } from '../base/errors.ts'
import { readVersion } from '../base/process/version.ts'
import type { CliContext } from './context.ts'
import { examples } from './flags.ts'
import { clusterCommands } from './routes/cluster-commands.ts'
import { imageCommands } from './routes/image-commands.ts'
import { modelCommands } from './routes/model-commands.ts'
import { rolloutCommands } from './routes/rollout-commands.ts'
import { serviceCommands } from './routes/service-commands.ts'
import { renderFailure } from './term/failure.ts'
import { watchOutput } from './term/lost-output.ts'
import { addPlace, readPlace } from './term/place-words.ts'
import { createTerminal, disarm } from './term/terminal.ts'
import { explainUsage } from './term/usage-error.ts'

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
  routes: {
    ...serviceCommands,
    ...rolloutCommands,
    ...modelCommands,
    ...imageCommands,
    ...clusterCommands,
    completion,
  },
  docs: {
    brief: 'Tow a trained model from a laptop to a fleet',
    fullDescription: `Tow a trained model from a laptop to a fleet.\n\n${examples('towline init model.onnx', 'towline up towline.yaml', 'towline infer image-classifier cat.jpg')}`,
  },
})

/** `place`: where commands that are told to a person have to lead, as `readPlace` reads it. */
export function createApplication(place?: string): Application<CliContext> {
  const renderOwn = (error: unknown): string =>
    disarm(process.stderr, addPlace(renderFailure(createTerminal(process), error), place))
  return buildApplication(routes, {
    name: 'towline',
    versionInfo: { currentVersion: readVersion() },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { caseStyle: 'convert-camel-to-kebab', disableAnsiColor: !process.stdout.isTTY },
    localization: {
      text: {
        ...text_en,
        exceptionWhileParsingArguments: (error) => renderOwn(explainUsage(error)),
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
  const place = readPlace(args)
  const terminal = createTerminal(process)
  const isOutputLost = watchOutput(process, args, (failure) => terminal.err(renderFailure(terminal, failure)))
  await run(createApplication(place), args, {
    process: process as StricliProcess,
    terminal: {
      ...terminal,
      out: (text) => terminal.out(addPlace(text, place)),
      err: (text) => terminal.err(addPlace(text, place)),
    },
    cwd: process.cwd(),
  })
  const code = process.exitCode
  if (code === ExitCode.InvalidArgument || code === ExitCode.UnknownCommand) process.exitCode = 2
  else if (typeof code === 'number' && code < 0) process.exitCode = 70
  process.on('exit', () => {
    if (isOutputLost() && !process.exitCode) process.exitCode = 1
  })
}
