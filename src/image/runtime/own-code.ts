import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hashOf } from '../../base/canonical.ts'
import { hasErrno } from '../../base/errors.ts'
import { type Digest, digestOf } from '../oci/descriptor.ts'

/** What a replica's container starts: itself, and its health check. */
export const codeEntries: readonly string[] = ['serve/replica-process.js', 'serve/health-process.js']

/** How a clone compiles it: the same bytes as those of the published package. For `tsc`, in the folder of the clone. */
export function compileArguments(outDir: string): readonly string[] {
  return ['-p', 'tsconfig.build.json', '--noCheck', '--declaration', 'false', '--outDir', outDir]
}

/** Follows the imports of built modules: those of our own, and the packages that they name. Paths are relative to `root`. */
export function traceModules(
  root: string,
  entries: readonly string[],
): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    if (!file.endsWith('.js')) return
    for (const target of importsOf(readFileSync(join(root, file), 'utf8'))) {
      if (target.startsWith('.')) visit(join(dirname(file), target))
      else if (!target.startsWith('node:')) packages.add(packageName(target))
    }
  }
  for (const entry of entries) visit(entry)
  return { files: [...files].toSorted(), packages: [...packages].toSorted() }
}

/** The digest that the runtime lock has for these files. Undefined when one is missing. */
export function digestCode(root: string, files: readonly string[]): Digest | undefined {
  try {
    return `sha256:${hashOf(files.map((file) => [file, digestOf(readFileSync(join(root, file)))]))}`
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** The compiler writes imports in few forms; threads and processes are started through `beside` only. */
function importsOf(text: string): string[] {
  const forms = [
    /(?:^|\n)\s*(?:import|export)\s[^'"`]*?\sfrom\s+['"]([^'"]+)['"]/g,
    /(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ]
  const named = forms.flatMap((form) => [...text.matchAll(form)].map(([, target = '']) => target))
  const started = [...text.matchAll(/\bbeside\(import\.meta\.url,\s*['"]([^'"]+)['"]/g)].map(
    ([, name = '']) => `./${name}.js`,
  )
  return [...named, ...started]
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
