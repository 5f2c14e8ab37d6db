import { connectEngine } from '../../../control/client.ts'
import type { CliContext } from '../../context.ts'
import { findProjectDir } from '../../project.ts'
import { renderHistory } from '../../view/history-table.ts'

export interface HistoryFlags {
  readonly json: boolean
  readonly project?: string
}

export async function history(this: CliContext, flags: HistoryFlags, name: string): Promise<void> {
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  const told = await engine.history(name)
  this.terminal.out(flags.json ? JSON.stringify(told, undefined, 2) : renderHistory(told, Date.now()))
}
