// The step before every npm script that needs packages. It runs on whatever Node the machine has, before node_modules
// exists: plain JavaScript, no dependency. It installs only when the lock has changed; `--production` asks only for what
// running needs, and a full install satisfies that too.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.towline-install.json')
const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8')
const production = process.argv.includes('--production')

if (!isInstalled()) {
  const release = await takeTurn()
  try {
    if (!isInstalled()) await install()
  } finally {
    release()
  }
}

function isInstalled() {
  const stamp = readText(stampFile)
  return stamp === renderStamp('full') || (production && stamp === renderStamp('production'))
}

function renderStamp(scope) {
  return `${JSON.stringify({ scope })}\n${lockText}`
}

/** Two scripts started at once: the second waits for the first instead of deleting its folder. */
async function takeTurn() {
  const turnFile = join(root, '.install.turn')
  for (;;) {
    try {
      writeFileSync(turnFile, String(process.pid), { flag: 'wx' })
      return () => rmSync(turnFile, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(readText(turnFile))
    if (holder > 0 && !isAlive(holder)) rmSync(turnFile, { force: true })
    else await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function install() {
  const startMs = Date.now()
  const live = process.stderr.isTTY === true
  const what = `  installing   ${countPackages()} packages`.padEnd(66)
  const clock = live ? setInterval(() => process.stderr.write(`\r${what}${seconds(startMs)}`), 500) : undefined
  if (!live) process.stderr.write(`${what}\n`)

  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (production) args.push('--omit=dev')
  const { status, output } = await run('npm', args)
  clearInterval(clock)
  if (status !== 0) {
    process.stderr.write(`${live ? '\r' : ''}${what}failed\n${output}\n`)
    process.stderr.write(
      'error: `npm ci` did not succeed (its own words are above); the network or the registry is the usual cause\n',
    )
    process.exit(1)
  }
  linkOwnCommand()
  writeFileSync(stampFile, renderStamp(production ? 'production' : 'full'))
  process.stderr.write(
    `${live ? '\r' : ''}${live ? what : '  installed'.padEnd(66)}done in ${seconds(startMs)}   (first time only)\n`,
  )
}

/** `npx towline` finds the command of this very clone. */
function linkOwnCommand() {
  const link = join(modules, '.bin', 'towline')
  mkdirSync(dirname(link), { recursive: true })
  if (existsSync(link)) unlinkSync(link)
  symlinkSync('../../bin/towline.mjs', link)
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => resolve({ status: 1, output: `${output}${error.message}` }))
    child.on('close', (code) => resolve({ status: code ?? 1, output }))
  })
}

/** What will lie in node_modules on this machine, by the lock. */
function countPackages() {
  const fits = (wanted, own) => wanted === undefined || wanted.includes(own)
  return Object.entries(JSON.parse(lockText).packages).filter(
    ([path, entry]) =>
      path !== '' &&
      (!production || entry.dev !== true) &&
      fits(entry.os, process.platform) &&
      fits(entry.cpu, process.arch) &&
      fits(entry.libc, 'glibc'),
  ).length
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function seconds(startMs) {
  return `${Math.round((Date.now() - startMs) / 1000)} s`
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
