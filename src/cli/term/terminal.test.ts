import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTerminal } from './terminal.ts'

function record(isTTY: boolean) {
  const written: string[] = []
  const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) > 0 }
  const streams = { stdout: stream, stderr: stream, env: {} } as unknown as Pick<
    NodeJS.Process,
    'stdout' | 'stderr' | 'env'
  >
  return { terminal: createTerminal(streams), written }
}

test('what comes from elsewhere cannot steer a terminal, and colours, tabs and letters stay', () => {
  const { terminal, written } = record(true)
  terminal.out('title \u001b]0;owned\u0007 clear \u001b[2J\rback\b \u009b31m')
  terminal.err(terminal.styleErr('red', 'größe 猫\tend'))
  assert.deepEqual(written, [
    'title \ufffd]0;owned\ufffd clear \ufffd[2J\ufffdback\ufffd \ufffd31m\n',
    '\u001b[31mgröße 猫\tend\u001b[39m\u001b[0m\n',
  ])
})

test('hidden text and text that turns round are shown, and a colour ends with its line', () => {
  const { terminal, written } = record(true)
  terminal.out('\u001b[8mhidden \u202eright to left \u001b[31mred')
  assert.deepEqual(written, ['\ufffd[8mhidden \ufffdright to left \u001b[31mred\u001b[0m\n'])
})

test('a pipe gets every byte as it is', () => {
  const { terminal, written } = record(false)
  terminal.out('\u001b[2J\r\b')
  assert.deepEqual(written, ['\u001b[2J\r\b\n'])
})

test('a page and a live line take the place of what is there, and their text is as harmless', () => {
  const { terminal, written } = record(true)
  terminal.redraw('a\u001b[H')
  terminal.relineErr('b\r')
  terminal.relineErr('')
  assert.deepEqual(written, ['\u001b[H\u001b[2Ja\ufffd[H\n', '\r\u001b[Kb\ufffd', '\r\u001b[K'])
})
