/** `npm start`: the example service, one photo through it, and then it stays up. `--once` stops after the answer. */
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { TowlineError, codes } from '../base/errors.ts'
import { bringUp } from './bring-up.ts'
import { followChanges } from './commands/up.ts'
import { openInterrupt } from './context.ts'
import { readPayload, renderClasses, sendPayload } from './inference.ts'
import { takeDown } from './take-down.ts'
import { renderFailure } from './term/failure.ts'
import { renderRow } from './term/layout.ts'
import { createTerminal } from './term/terminal.ts'

const terminal = createTerminal(process)
const root = join(import.meta.dirname, '..', '..')
const example = join(root, 'examples', 'image-classifier')
try {
  await start()
} catch (error) {
  terminal.err(renderFailure(terminal, error))
  process.exitCode = error instanceof TowlineError ? codes[error.code].exit : 70
}

async function start(): Promise<void> {
  const { once, port, project } = readFlags()
  const interrupt = openInterrupt(terminal, 'stopping')
  const photo = join(example, 'photos', 'chelsea.jpg')
  try {
    const service = await bringUp(terminal, {
      file: join(example, 'towline.yaml'),
      projectDir: project ?? root,
      port,
      attached: true,
      signal: interrupt.signal,
    })
    try {
      const url = `${service.ready.url}/v2/models/${service.ready.model.name}/infer`
      const classes = renderClasses(photo, await sendPayload(readPayload(photo), { url, timeoutMs: 30_000 }))
      terminal.out(`\n  ${classes}\n`)
      if (once) return
      const coffee = relative(process.cwd(), join(example, 'photos', 'coffee.jpg'))
      terminal.out(
        renderRow('try it', `curl --data-binary @${coffee} -H 'content-type: image/jpeg' \\\n                 ${url}`),
      )
      terminal.out(renderRow('stop', 'Ctrl-C'))
      await followChanges(terminal, service.changes, service.ready, interrupt.signal)
    } finally {
      await takeDown(terminal, service.engine, [service.name])
    }
    terminal.out(renderRow('stopped', service.name))
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.close()
  }
}

function readFlags(): { once: boolean; port: number | undefined; project: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { once: { type: 'boolean', default: false }, port: { type: 'string' }, project: { type: 'string' } },
    })
    if (values.port !== undefined && !/^\d{1,5}$/.test(values.port)) throw new Error(`\`${values.port}\` is not a port`)
    return {
      once: values.once,
      port: values.port === undefined ? undefined : Number(values.port),
      project: values.project,
    }
  } catch (cause) {
    throw new TowlineError('TL_USAGE', cause instanceof Error ? cause.message : String(cause), {
      hint: 'npm start -- [--once] [--port N] [--project DIR]',
      cause,
    })
  }
}
