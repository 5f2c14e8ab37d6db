/**
 * Around `npm pack` and `npm publish`. `strip` takes out what is only for this repository: the pinned Node (190 MB, and it
 * would replace the user's own inside their npm scripts), the development packages and the scripts. `restore` puts the
 * file back; an interrupted pack is healed by the next strip.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const manifest = join(import.meta.dirname, '..', 'package.json')
const original = `${manifest}.unpacked`

if (existsSync(original)) renameSync(original, manifest)
if (process.argv[2] === 'strip') {
  const text = readFileSync(manifest, 'utf8')
  const {
    scripts: _scripts,
    allowScripts: _allowed,
    devDependencies: _dev,
    optionalDependencies: _node,
    ...published
  } = JSON.parse(text)
  writeFileSync(original, text)
  writeFileSync(manifest, `${JSON.stringify(published, undefined, 2)}\n`)
}
