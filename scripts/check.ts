/** `npm run check`: everything that can be said without running the product. All checks run, then all troubles are shown. */
import { spawn } from 'node:child_process'

const checks = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check'], wayOut: 'npm run format' },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  {
    name: 'generated files',
    command: [process.execPath, 'scripts/generate.ts', '--check'],
    wayOut: 'npm run generate',
  },
] as const

let failed = 0
for (const check of checks) {
  const startMs = performance.now()
  const { status, output } = await run(check.command)
  const took = `${((performance.now() - startMs) / 1000).toFixed(1)} s`
  if (status === 0) console.log(`ok    ${check.name.padEnd(16)} ${took}`)
  else {
    failed++
    const wayOut = 'wayOut' in check ? `   mend it with \`${check.wayOut}\`` : ''
    console.log(`FAIL  ${check.name.padEnd(16)} ${took}${wayOut}\n${output.trimEnd()}\n`)
  }
}
console.log(failed === 0 ? `all ${checks.length} checks passed` : `${failed} of ${checks.length} checks failed`)
process.exitCode = failed === 0 ? 0 : 1

async function run([command, ...args]: readonly [string, ...string[]]): Promise<{ status: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; output: string }>()
  const child = spawn(command, args, { cwd: `${import.meta.dirname}/..`, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.on('error', (error) => resolve({ status: 1, output: `${output}${error.message}` }))
  child.on('close', (code) => resolve({ status: code ?? 1, output }))
  return promise
}
