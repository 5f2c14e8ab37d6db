import type { Finding } from '../source/finding.ts'
import type { DocumentView } from './document-view.ts'

/** Exported for the rules of a cluster, which read them as RE2. */
export const reservedName = /^(?:CUDA_VISIBLE_DEVICES|NVIDIA_VISIBLE_DEVICES|PORT|TOWLINE_.*)$/
export const secretName =
  /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$/i
/** Short each: the API server counts the length of a pattern. Without `.`, which stops at other ends of lines in RE2. */
export const secretShapes = [
  /^AKIA[0-9A-Z]{16}$/,
  /^hf_\w{20,}$/,
  /^gh[pousr]_\w{20,}$/,
  /^sk-[\w-]{20,}$/,
  /^xox[abp]-[^\n]{10}/,
  /^-+BEGIN [A-Z ]*PRIV/,
]

export function checkEnv(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const seen = new Set<string>()
  for (const index of view.listAt('spec', 'env').keys()) {
    const name = view.textAt('spec', 'env', index, 'name')
    if (name === undefined) continue
    const say = (code: Finding['code'], field: string, message: string): void => {
      findings.push({ code, path: ['spec', 'env', index, field], message })
    }
    if (seen.has(name)) say('TL_SPEC_ENV', 'name', `\`${name}\` is already given above; remove one of the two`)
    seen.add(name)
    if (reservedName.test(name))
      say('TL_SPEC_ENV_RESERVED', 'name', `\`${name}\` is set by Towline; remove it from env`)
    const value = view.textAt('spec', 'env', index, 'value')
    const hasReference = view.has('spec', 'env', index, 'valueFrom')
    if (hasReference === view.has('spec', 'env', index, 'value')) {
      const count = hasReference ? 'both' : 'neither'
      say(
        'TL_SPEC_ENV',
        'name',
        `\`${name}\` has ${count} \`value\` and \`valueFrom\`; give one of them`.replace(
          'neither `value` and',
          'neither `value` nor',
        ),
      )
    }
    const sources = view.keysAt('spec', 'env', index, 'valueFrom').length
    if (hasReference && sources !== 1)
      say(
        'TL_SPEC_ENV',
        'valueFrom',
        `valueFrom of \`${name}\` names ${sources} sources; give one: secretKeyRef or configMapKeyRef`,
      )
    if (
      value !== undefined &&
      value !== '' &&
      (secretName.test(name) || secretShapes.some((shape) => shape.test(value)))
    )
      say(
        'TL_SPEC_ENV_SECRET',
        'value',
        `\`${name}\` looks like a secret in clear text; use valueFrom.secretKeyRef, and --env-file locally`,
      )
  }
  return findings
}
