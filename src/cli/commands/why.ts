import { connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { explainService } from '../view/explanation.ts'
import { findProjectDir } from '../project.ts'
import { findService } from './status.ts'

export interface WhyFlags {
  readonly json: boolean
  readonly project?: string
}

/** More are in `towline events`. */
const toldEvents = 5

export async function why(this: CliContext, flags: WhyFlags, name: string): Promise<void> {
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  const service = findService(await engine.status(), name)
  const events = await engine.events(name, toldEvents)
  const sentences = explainService(service, events, Date.now())
  this.terminal.out(flags.json ? JSON.stringify({ sentences, service, events }, undefined, 2) : sentences.join(' '))
}
