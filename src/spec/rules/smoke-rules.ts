import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { detectContentType, photoTypeOfName } from '../../base/content-type.ts'
import type { Finding } from '../source/finding.ts'
import { parseTestPlan } from '../test-plan/parse-plan.ts'
import type { DocumentView } from './document-view.ts'
import { isFile } from './test-rules.ts'

const path = ['spec', 'rollout', 'smoke']

/** True for a file of checks; everything else is a photo or a request as JSON. */
export function isTestPlanFile(file: string): boolean {
  return /\.ya?ml$/i.test(file)
}

/** A smoke request that cannot be sent would only be noticed when a new replica waits for it. */
export async function checkSmoke(view: DocumentView, baseDir: string): Promise<Finding[]> {
  const entries = view.listAt(...path).entries()
  const findings = [...entries].map(async ([index, name]): Promise<Finding[]> => {
    // The shape check says what is wrong with it.
    if (typeof name !== 'string' || name === '' || name.includes('\0')) return []
    const messages = await explainEntry(name, resolve(baseDir, name))
    return messages.map((message) => ({ code: 'TL_SPEC_SMOKE', path: [...path, index], message }))
  })
  return (await Promise.all(findings)).flat()
}

async function explainEntry(name: string, place: string): Promise<readonly string[]> {
  if (!isFile(place)) return [`\`${name}\` is no file that is there (looked at ${place})`]
  let bytes: Buffer
  try {
    bytes = readFileSync(place)
  } catch (error) {
    return [`\`${name}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`]
  }
  if (isTestPlanFile(name)) return explainPlan(name, place, bytes)
  if (detectContentType(bytes) !== 'application/json') return []
  if (photoTypeOfName(name) !== undefined) return [`\`${name}\` is named like a photo, but its content is none`]
  try {
    JSON.parse(bytes.toString())
    return []
  } catch {
    return [`\`${name}\` is neither a photo nor JSON`]
  }
}

async function explainPlan(name: string, place: string, bytes: Uint8Array): Promise<readonly string[]> {
  const { plan, diagnostics } = await parseTestPlan(place, bytes)
  if (plan?.inferences.length === 0) return [`\`${name}\` holds no \`inferences\`, so there is nothing to send`]
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ at, message }) => `\`${name}\` line ${at.line}: ${message}`)
}
