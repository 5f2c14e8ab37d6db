import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { peersFolder } from './peers-folder.ts'
import { runProgram } from './program.ts'

const packagesFolder = join(peersFolder, 'debian-12')

/** What distroless images called "cc" hold. */
export const ccPackages = [
  'base-files',
  'netbase',
  'tzdata',
  'ca-certificates',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'gcc-12-base',
]

/** What a build stage needs besides: a shell and the programs that RUN lines use. */
export const shellPackages = [
  'dash',
  'coreutils',
  'sed',
  'grep',
  'libacl1',
  'libattr1',
  'libselinux1',
  'libpcre2-8-0',
  'libgmp10',
]

/** The files of these packages, as `scripts/setup-peers` fetched them, in the order given. */
export function findPackages(names: readonly string[]): string[] {
  const files = readFolder(packagesFolder)
  return names.map((name) => {
    const file = files.find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))
    if (file === undefined)
      throw new Error(`the Debian package ${name} is not in ${packagesFolder}; scripts/setup-peers fetches it`)
    return join(packagesFolder, file)
  })
}

/** The npm that goes with the Node of build stages. */
export function findNpm(): string {
  const file = readFolder(packagesFolder).find((file) => /^npm-.*\.tgz$/.test(file))
  if (file === undefined) throw new Error(`npm is not in ${packagesFolder}; scripts/setup-peers fetches it`)
  return join(packagesFolder, file)
}

/**
 * Unpacks Debian packages into the empty folder `root`: `/bin`, `/lib`, `/lib64` and `/sbin` are links into `/usr`, each package
 * leaves an entry in `/var/lib/dpkg/status.d` (as in distroless images, which have no `status` file), and of the documentation
 * only the copyright files stay. No maintainer script runs.
 */
export async function unpackPackages(packages: readonly string[], root: string): Promise<void> {
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    mkdirSync(join(root, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(root, name))
  }
  const status = join(root, 'var', 'lib', 'dpkg', 'status.d')
  mkdirSync(status, { recursive: true })
  for (const file of packages) {
    // Packages of Debian 12 still bring files under /lib and /bin: tar must follow the links, not replace them.
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --numeric-owner -C "$2"'
    await runProgram('sh', ['-c', unpack, 'sh', file, root])
    const { out: control } = await runProgram('dpkg-deb', ['--field', file])
    const name = /^Package: (.+)$/m.exec(control)?.[1]
    if (name === undefined) throw new Error(`${file} does not say its name`)
    writeFileSync(join(status, name), control)
    const { out: sums } = await runProgram('dpkg-deb', ['--info', file, 'md5sums'])
    writeFileSync(join(status, `${name}.md5sums`), sums)
  }
  pruneDocumentation(join(root, 'usr', 'share'))
}

/** One file of all certificates, as the package's own script would make it. */
export function joinCertificates(root: string): string {
  const folder = join(root, 'usr', 'share', 'ca-certificates', 'mozilla')
  const files = readdirSync(folder).toSorted()
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('')
}

function pruneDocumentation(share: string): void {
  for (const name of ['man', 'info', 'locale', 'lintian']) rmSync(join(share, name), { recursive: true, force: true })
  for (const name of readdirSync(join(share, 'doc'))) {
    for (const file of readFolder(join(share, 'doc', name))) {
      if (file !== 'copyright') rmSync(join(share, 'doc', name, file), { recursive: true })
    }
  }
}

/** The names in a folder; none when there is no such folder, or when it is something else. */
function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}
