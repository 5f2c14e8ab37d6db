import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { detectContentType, photoTypeOfName } from './content-type.ts'

const photos = join(import.meta.dirname, '../../examples/image-classifier/photos')
const detect = (name: string): string => detectContentType(readFileSync(join(photos, name)))

test('a photo is known by its bytes, and its name says what it was meant to be', () => {
  assert.deepEqual([detect('coffee.jpg'), detect('chelsea-rgba.png')], ['image/jpeg', 'image/png'])
  assert.equal(detectContentType(Buffer.from('RIFF\u0001\u0001\u0001\u0001WEBPVP8 ', 'latin1')), 'image/webp')
  assert.equal(detect('not-an-image.jpg'), 'application/json')
  assert.deepEqual(['not-an-image.jpg', 'A.JPEG', 'request.json', 'photo', 'constructor'].map(photoTypeOfName), [
    'image/jpeg',
    'image/jpeg',
    undefined,
    undefined,
    undefined,
  ])
})
