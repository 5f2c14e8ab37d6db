import { z } from 'zod'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** What an environment said of one model: made by `towline test`, read where a gate asks for it. */
export const attestationForm = z.strictObject({
  version: z.literal(1),
  environment: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  service: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  /** Over the names and contents of the model's files. */
  model: digest,
  /** Null: it ran without an image. */
  image: digest.nullable(),
  /** Where the requests were sent. */
  url: z.string(),
  atMs: z.int().min(0),
  /** Of the program that ran the checks. */
  towline: z.string(),
  /** All checks of this run were. */
  passed: z.boolean(),
  checks: z
    .array(
      z.strictObject({
        name: z.string(),
        passed: z.boolean(),
        detail: z.string(),
        /** Numbers with their unit in the name: `tookMs`, `p99Ms`. */
        figures: z.record(z.string(), z.number()),
      }),
    )
    .min(1),
})

type Form = z.infer<typeof attestationForm>

export type Attestation = Readonly<Omit<Form, 'checks'>> & {
  readonly checks: readonly Readonly<Form['checks'][number]>[]
}
