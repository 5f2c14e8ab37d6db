import { proposeCompletions } from '@stricli/core'
import { TowlineError } from '../../base/errors.ts'
import { createApplication } from '../application.ts'
import type { CliContext } from '../context.ts'

/** Asked by the scripts below at each press of Tab: the words so far, and one proposal a line comes back. */
const proposeWord = '__complete'

const scripts: Readonly<Record<string, string>> = {
  bash: `_towline() {
  COMPREPLY=($(compgen -W "$(towline completion ${proposeWord} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _towline towline`,
  zsh: `#compdef towline
_towline() {
  local -a words_found
  words_found=(\${(f)"$(towline completion ${proposeWord} -- "\${words[@]:1:$((CURRENT-1))}" 2>/dev/null)"})
  if (( \${#words_found} )); then compadd -- $words_found; else _files; fi
}
compdef _towline towline`,
  fish: `complete -c towline -a '(towline completion ${proposeWord} -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
}

export async function completion(
  this: CliContext,
  _flags: object,
  shell = '',
  ...words: readonly string[]
): Promise<void> {
  if (shell === proposeWord) {
    const proposals = await proposeCompletions(createApplication(), words, {
      process: this.process,
      terminal: this.terminal,
      cwd: this.cwd,
    })
    for (const { completion: word } of proposals) this.terminal.out(word)
    return
  }
  const script = scripts[shell]
  if (script === undefined)
    throw new TowlineError('TL_USAGE', `\`${shell}\` is not a shell known here`, {
      hint: `known are ${Object.keys(scripts).join(', ')}`,
    })
  this.terminal.out(script)
}
