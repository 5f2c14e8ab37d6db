import type { CliContext } from '../../context.ts'
import { useControl } from '../../place.ts'
import type { PlaceFlags } from '../../place-flags.ts'
import { renderHistory } from '../../view/history-table.ts'

export interface HistoryFlags extends PlaceFlags {
  readonly json: boolean
}

export async function history(this: CliContext, flags: HistoryFlags, name: string): Promise<void> {
  const told = await useControl(this, flags, (control) => control.history(name))
  this.terminal.out(flags.json ? JSON.stringify(told, undefined, 2) : renderHistory(told, Date.now()))
}
