import { z } from 'zod'
import { parseQuantity, quantityMillis } from '../../base/quantity.ts'
import { duration, percent, plainText } from './scalar.ts'

const input = plainText(1024).min(1).describe('A photo or a request as JSON; a path from the folder of this file.')
const maxTolerance = 1_000_000_000

const tolerance = z
  .union([z.string().max(40), z.number()])
  .superRefine((value, context) => {
    const quantity = parseQuantity(String(value))
    if (quantity !== undefined && quantity.nanos >= 0n && quantityMillis(quantity) <= maxTolerance * 1000) return
    const message = `\`${value}\` is no tolerance; write for example 1m (a thousandth), 0.5 or 10`
    context.addIssue({ code: 'custom', message, params: { code: 'TL_SPEC_QUANTITY' } })
  })
  .meta({ description: 'How far a number may be off: 1m, 0.5.', 'x-kubernetes-int-or-string': true })

const element = z
  .unknown()
  .superRefine((value, context) => {
    if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return
    const message = 'a tensor is a flat list of numbers, texts, or true and false'
    context.addIssue({ code: 'custom', message, params: { code: 'TL_SPEC_TYPE' } })
  })
  .meta({ type: ['number', 'string', 'boolean'] })

const expectation = z
  .strictObject({
    label: plainText(1024).min(1).describe('The first class of the answer to a photo.').optional(),
    minPercent: percent(1, 100).describe('With `label`: the least score it must have.').optional(),
    status: z.int().min(100).max(599).describe('The HTTP status, for what must be refused.').optional(),
    outputs: z
      .array(
        z.strictObject({
          name: plainText(253).min(1).describe("Name of the model's output."),
          data: z.array(element).min(1).max(10_000).describe('All its elements, row by row.'),
          tolerancePercent: percent(0, 100).describe('Of each expected number.').optional(),
          tolerance: tolerance.optional(),
        }),
      )
      .min(1)
      .max(64)
      .describe(
        'What the model must answer. Without a tolerance whole numbers are equal, others to one part in ten thousand.',
      )
      .optional(),
  })
  .describe('Exactly one of `label`, `status` and `outputs`.')

/** The file form of `towline.test.yaml`, beside the spec. */
export const testPlanSchema = z
  .strictObject({
    apiVersion: z.literal('towline.dev/v1alpha1'),
    kind: z.literal('ModelTest'),
    inferences: z
      .array(
        z.strictObject({
          name: plainText(120).min(1).describe('What the check is called; default: the name of the file.').optional(),
          input,
          expect: expectation,
        }),
      )
      .max(256)
      .describe('Requests with their expected answers.')
      .optional(),
    load: z
      .strictObject({
        input,
        requestsPerSecond: z.int().min(1).max(10_000).describe('Due each second, at random as callers come.'),
        duration: duration('For how long.'),
        maxErrorsPerThousand: z
          .int()
          .min(0)
          .max(1000)
          .describe('Requests that may fail, of a thousand; default 0.')
          .optional(),
        p99: duration('99 of 100 requests must be answered by then.').optional(),
      })
      .describe('A steady load with limits.')
      .optional(),
  })
  .describe('What a service must pass before it is let on: run by `towline test`.')

export type TestPlanDocument = z.infer<typeof testPlanSchema>
