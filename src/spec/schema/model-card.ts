import { z } from 'zod'
import { plainText } from './scalar.ts'

const pixels = z.int().min(1).max(16_384)
const channels = z.tuple([z.number(), z.number(), z.number()])

/** The file form of `card.yaml`, beside the model. Its labels are a file of their own. */
export const modelCardSchema = z
  .strictObject({
    task: z.enum(['ImageClassification']).describe('What the model does.'),
    labels: plainText(1024).min(1).describe('File beside the card: one label a line, in the order of the output.'),
    output: plainText(253).min(1).describe("Name of the model's output that holds one score a class."),
    activation: z
      .enum(['None', 'Softmax', 'Sigmoid'])
      .describe('What turns scores into probabilities. Default None.')
      .optional(),
    topK: z.int().min(1).max(1000).describe('Classes in an answer. Default 5.').optional(),
    image: z
      .strictObject({
        input: plainText(253).min(1).describe("Name of the model's input."),
        size: z.strictObject({ width: pixels, height: pixels }).describe('What the model takes, in pixels.'),
        layout: z.enum(['NCHW', 'NHWC']),
        colour: z.enum(['RGB', 'BGR']).describe('Order of the channels. Default RGB.').optional(),
        resize: z
          .strictObject({
            shortestEdge: pixels.describe('Length of the shorter edge after scaling; the longer follows.'),
            kernel: z.enum(['Nearest', 'Linear', 'Cubic', 'Lanczos3']),
          })
          .describe('Scaling before the crop.'),
        crop: z.enum(['Center']).describe('Which part is taken. Default Center.').optional(),
        mean: channels.describe('Each channel becomes (value - mean) / scale, for values from 0 to 255.'),
        scale: channels.describe('Divisor of each channel; not 0.'),
      })
      .describe("How a picture becomes the model's input."),
  })
  .describe("How raw input becomes a model's tensor, and its output an answer people read.")

export type ModelCardDocument = z.infer<typeof modelCardSchema>
