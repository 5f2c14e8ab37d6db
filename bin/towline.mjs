#!/usr/bin/env node
// The command's first step, on whatever Node the machine has: plain JavaScript, no dependency.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'src', 'cli', 'main.ts')
const inClone = existsSync(source)
const entry = inClone ? source : join(root, 'dist', 'cli', 'main.js')

if (inClone) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'install.mjs'), '--production'], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

// Compiled modules are kept between runs, in the person's own cache, where nobody else can write: a third of the start.
const compiled = join(cacheHome(), 'towline', 'compiled')
if (Number(process.versions.node.split('.')[0]) >= 24) {
  module.enableCompileCache(compiled)
  await import(pathToFileURL(entry).href)
} else if (inClone && existsSync(join(root, 'node_modules', '.bin', 'node'))) runPinned()
else {
  process.stderr.write(`error: towline needs Node 24 or newer, and this is Node ${process.versions.node}.\n`)
  process.exitCode = 2
}

/** As `cacheFolder` has it. */
function cacheHome() {
  const chosen = process.env['XDG_CACHE_HOME']
  return chosen?.startsWith('/') ? chosen : join(homedir(), '.cache')
}

/** The clone's own Node. A terminal sends its signals to both processes; other senders reach the child through this one. */
function runPinned() {
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), [entry, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(
      `error: the clone's own Node cannot be started (${error.message}); run \`npm ci --ignore-scripts\`\n`,
    )
    process.exitCode = 1
  })
  child.on('close', (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1
    else {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }
  })
}
