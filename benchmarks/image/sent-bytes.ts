import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Built, Workplace } from './workplace.ts'

/** What a push sent after one change. */
export interface SentAfter {
  readonly change: string
  /** Layers over the base that were sent, by name. */
  readonly layers: readonly string[]
  /** Of the layers, the config and the manifest. */
  readonly imageBytes: number
  /** All that reached the registry: the bill of materials and the headers of every request too. */
  readonly wireBytes: number
  /** Of the whole image, with the base. */
  readonly wholeBytes: number
}

/** Builds and pushes after each change to the one before. The first row is the first push. */
export async function measureSentBytes(workplace: Workplace): Promise<readonly SentAfter[]> {
  const { project } = workplace
  const changes: readonly { readonly change: string; readonly make: () => void }[] = [
    { change: 'the first push', make: () => undefined },
    { change: 'nothing', make: () => undefined },
    { change: "a line of Towline's code", make: () => workplace.editCode('// edited\n') },
    {
      change: 'a setting (serving.timeout)',
      make: () => editText(join(project, 'towline.yaml'), (text) => `${text}  serving: { timeout: 9s }\n`),
    },
    {
      change: 'card.yaml',
      make: () => editText(join(project, 'model', 'card.yaml'), (text) => `${text}# edited\n`),
    },
    { change: 'another model of the same size', make: () => changeWeight(join(project, 'model', 'model.onnx')) },
  ]
  const rows: SentAfter[] = []
  for (const { change, make } of changes) {
    make()
    rows.push(await push(workplace, change))
  }
  return rows
}

async function push({ build, relay }: Workplace, change: string): Promise<SentAfter> {
  const before = relay.sentBytes()
  const built = await build(['--push', `${relay.host}/bench:1`])
  const sent = (built.pushed?.blobs ?? []).filter(({ how }) => how === 'Uploaded')
  return {
    change,
    layers: nameLayers(built, new Set(sent.map(({ digest }) => digest))),
    imageBytes: sent.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
    wireBytes: relay.sentBytes() - before,
    wholeBytes: built.images[0]?.sizeBytes ?? NaN,
  }
}

/** The base's own layers come from elsewhere, and have no name. */
function nameLayers({ images }: Built, sent: ReadonlySet<string>): readonly string[] {
  const layers = images.flatMap((image) => image.layers)
  return layers.filter(({ digest }) => sent.has(digest)).map(({ name }) => name)
}

function editText(file: string, edit: (text: string) => string): void {
  writeFileSync(file, edit(readFileSync(file, 'utf8')))
}

/** One bit in the middle: another model, as far as any digest goes. */
function changeWeight(file: string): void {
  const position = Math.floor(statSync(file).size / 2)
  const byte = Buffer.alloc(1)
  const opened = openSync(file, 'r+')
  readSync(opened, byte, 0, 1, position)
  byte.writeUInt8(byte.readUInt8() ^ 1)
  writeSync(opened, byte, 0, 1, position)
  closeSync(opened)
}
