import { z } from 'zod'
import { parseDuration } from '../../base/duration.ts'
import { parseQuantity, quantityMillis, quantityUnits } from '../../base/quantity.ts'
import { explainQuantity } from './quantity-advice.ts'

// The message of a `regex` is the second half of a finding: "`A_b` does not fit `metadata.name`: use …".
const dnsWords = 'use lower-case letters, digits and `-`, first and last a letter or digit'

/** Kubernetes' name of an object: at most 253 characters, lower case. */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, dnsWords)

export const dnsLabel = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, dnsWords)

/** Of a service: 40 characters leave room for what is made of it, and a Service of Kubernetes begins with a letter. */
export const serviceName = z
  .string()
  .min(1)
  .max(40)
  .regex(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    'use lower-case letters, digits and `-`, first a letter and last a letter or digit',
  )

/** Text without control characters, so that no message, log or header is broken by it. */
export const plainText = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[^\p{Cc}]*$/u, 'use text without control characters')

export const reference = (what: string) => z.strictObject({ name: objectName }).describe(what)

export const duration = (what: string) =>
  z
    .string()
    .max(24)
    .superRefine((text, context) => {
      if (parseDuration(text) !== undefined) return
      const message = `\`${text}\` is not a duration; write for example 250ms, 10s or 1h30m`
      context.addIssue({ code: 'custom', message, params: { code: 'TL_SPEC_DURATION' } })
    })
    .meta({ description: `${what} A duration: 250ms, 10s, 1h30m.`, pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' })

const anyQuantity = z.union([z.string().max(40), z.number()])

/** An amount of bytes; less than `leastBytes` is nearly always a wrong suffix (`512m` is half a byte). */
export const byteQuantity = (what: string, leastBytes: number) =>
  anyQuantity
    .superRefine((value, context) => {
      const quantity = parseQuantity(String(value))
      if (quantity === undefined) context.addIssue(quantityIssue(value, 'bytes'))
      else if (quantityUnits(quantity) < leastBytes || quantityUnits(quantity) > Number.MAX_SAFE_INTEGER) {
        const bytes = quantityUnits(quantity)
        const message =
          bytes < leastBytes
            ? `\`${value}\` is ${bytes} B; the least is ${leastBytes} B (Mi and Gi count bytes)`
            : `\`${value}\` is more than any machine has`
        context.addIssue({ code: 'custom', message, params: { code: 'TL_SPEC_LIMIT' } })
      }
    })
    .meta({ description: `${what} A Kubernetes quantity of bytes: 64Mi, 1G.`, 'x-kubernetes-int-or-string': true })

export const cpuQuantity = (what: string) =>
  anyQuantity
    .superRefine((value, context) => {
      const quantity = parseQuantity(String(value))
      if (quantity === undefined) context.addIssue(quantityIssue(value, 'cpu'))
      else if (quantityMillis(quantity) < 1 || quantityMillis(quantity) > 1_024_000) {
        const message = `\`${value}\` cores is outside 1m to 1024`
        context.addIssue({ code: 'custom', message, params: { code: 'TL_SPEC_LIMIT' } })
      }
    })
    .meta({ description: `${what} A Kubernetes quantity of cores: 500m, 2.`, 'x-kubernetes-int-or-string': true })

export const shareQuantity = (what: string) =>
  anyQuantity
    .superRefine((value, context) => {
      const quantity = parseQuantity(String(value))
      if (quantity !== undefined && quantity.nanos >= 0n && quantityMillis(quantity) <= 1000) return
      const message = `\`${value}\` is no share; write for example 0.05 or 50m (from 0 to 1)`
      context.addIssue({ code: 'custom', message, params: { code: 'TL_SPEC_QUANTITY' } })
    })
    .meta({ description: `${what} A Kubernetes quantity from 0 to 1: 0.05, 50m.`, 'x-kubernetes-int-or-string': true })

/** Where something answers over HTTP; a path may follow. */
export const httpAddress = (what: string) =>
  plainText(512)
    .regex(
      /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
      'use an address such as http://127.0.0.1:9090, without user or query',
    )
    .describe(what)

function quantityIssue(value: string | number, unit: 'bytes' | 'cpu') {
  const message = explainQuantity(String(value), unit)
  return { code: 'custom', message, params: { code: 'TL_SPEC_QUANTITY' } } as const
}

/** A share or a weight, in whole percent: fractions are read differently by too many programs. */
export const percent = (least: number, most: number) => z.int().min(least).max(most)

/** Kubernetes' own structures, passed on as they are and checked by the API server. */
export const kubernetesObject = z.record(z.string().max(253), z.unknown())
