import type { Sharp } from 'sharp'
import { TowlineError } from '../../base/errors.ts'
import type { ImagePreparation } from '../../spec/model/card.ts'

export type DecodeImage = (bytes: Uint8Array) => Promise<Float32Array<ArrayBuffer>>

const formats = new Set(['jpeg', 'png', 'webp'])
const kernels = { Nearest: 'nearest', Linear: 'linear', Cubic: 'cubic', Lanczos3: 'lanczos3' } as const
/** 100 megapixels are 300 MB decoded: more is an attack or a mistake. */
const maxPixels = 100_000_000

/** Loads the image library (only models that take images pay for it) and returns the decoder for one card. */
export async function openImageDecoder(card: ImagePreparation): Promise<DecodeImage> {
  const { default: sharp } = await import('sharp')
  // One thread for each image: images run side by side, and the model needs the other cores.
  sharp.concurrency(1)
  sharp.cache(false)
  return async (bytes) => {
    const source = (): Sharp => sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels })
    try {
      const size = await readSize(source())
      const scale = card.resize.shortestEdge / Math.min(size.width, size.height)
      const width = Math.max(card.width, Math.floor(size.width * scale + 0.5))
      const height = Math.max(card.height, Math.floor(size.height * scale + 0.5))
      const { data, info } = await source()
        .rotate()
        .toColourspace('srgb')
        .removeAlpha()
        .resize(width, height, { fit: 'fill', kernel: kernels[card.resize.kernel], fastShrinkOnLoad: false })
        .extract({
          left: Math.floor((width - card.width) / 2),
          top: Math.floor((height - card.height) / 2),
          width: card.width,
          height: card.height,
        })
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true })
      if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to sRGB`)
      return normalise(data, card)
    } catch (cause) {
      if (cause instanceof TowlineError) throw cause
      const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
      throw new TowlineError('TL_IMAGE_INVALID', reason, { hint: 'send a complete JPEG, PNG or WebP', cause })
    }
  }
}

/** Width and height as the image is seen: EXIF orientations 5 to 8 lie on their side. */
async function readSize(image: Sharp): Promise<{ width: number; height: number }> {
  const { format, width, height, orientation = 1 } = await image.metadata()
  if (format === undefined || !formats.has(format))
    throw new TowlineError('TL_IMAGE_INVALID', `this is ${format ?? 'no image'}; JPEG, PNG and WebP are read`)
  if (width * height > maxPixels)
    throw new TowlineError(
      'TL_IMAGE_INVALID',
      `${width} x ${height} pixels; at most ${maxPixels / 1e6} million are read`,
    )
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}

function normalise(
  pixels: Uint8Array,
  { width, height, layout, colour, mean, scale }: ImagePreparation,
): Float32Array<ArrayBuffer> {
  const count = width * height
  const tensor = new Float32Array(count * 3)
  for (let channel = 0; channel < 3; channel++) {
    const from = colour === 'BGR' ? 2 - channel : channel
    const offset = mean[channel] ?? 0
    const divisor = scale[channel] ?? 1
    const start = layout === 'NCHW' ? channel * count : channel
    const step = layout === 'NCHW' ? 1 : 3
    for (let at = 0, read = from, write = start; at < count; at++, read += 3, write += step) {
      tensor[write] = ((pixels[read] as number) - offset) / divisor // inside both arrays
    }
  }
  return tensor
}
