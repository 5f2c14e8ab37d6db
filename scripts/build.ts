/** `npm run build`: the sources as JavaScript with types in dist/, for the published package and for images. */
import { spawnSync } from 'node:child_process'
import { globSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status === 0) console.log(`dist/ holds ${globSync('dist/**/*.js', { cwd: root }).length} modules`)
process.exitCode = status ?? 1
