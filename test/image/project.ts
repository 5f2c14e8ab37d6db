import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { example, towline } from '../kit/command.ts'

/** A folder of its own, gone with the test. */
export function makeFolder(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `towline-${name}-`))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The example in a folder of its own. */
export function copyExample(t: TestContext): string {
  const folder = makeFolder(t, 'image')
  cpSync(example, folder, { recursive: true })
  return folder
}

/** What the command prints for scripts, of the shape that its caller knows; its failure is the test's. */
export async function readTowline<T>(folder: string, args: readonly string[]): Promise<T> {
  const { code, out, err } = await towline([...args, '--json'], folder)
  assert.equal(code, 0, `towline ${args.join(' ')}\n${err}`)
  return JSON.parse(out) as T
}
