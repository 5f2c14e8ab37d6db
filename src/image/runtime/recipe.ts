import { matchesGlob } from 'node:path'

/**
 * What the onnx runtime's image is made of besides the model: which packages each layer holds, and which of their files.
 * Layers are listed from what changes least to what changes most. All of it is data: the daemonless builder and the build
 * stage of the generated Dockerfile follow the same lists.
 */
export interface LayerRecipe {
  readonly name: RuntimeLayerName
  readonly why: string
  /** Packages it begins with; what these depend on comes along unless an earlier layer has it. `CPU` is x64 or arm64. */
  readonly roots: readonly string[]
}

export type RuntimeLayerName = 'node' | 'onnxruntime' | 'photos' | 'packages'

export const layerRecipes: readonly LayerRecipe[] = [
  { name: 'node', why: 'the program that runs everything; changes with a Node release', roots: ['node-linux-CPU'] },
  {
    name: 'onnxruntime',
    why: 'runs the model; one platform of the five that its package carries',
    roots: ['onnxruntime-node'],
  },
  {
    name: 'photos',
    why: 'decodes JPEG, PNG and WebP; here because the model has a card',
    roots: ['@img/sharp-linux-CPU', '@img/sharp-libvips-linux-CPU', 'sharp'],
  },
  { name: 'packages', why: 'logs, metrics and the model card', roots: ['pino', 'prom-client', 'yaml', 'zod'] },
]

/** Needed only by install scripts, which are never run. */
export const neverNeeded: readonly string[] = ['adm-zip', 'global-agent']

interface FileRule {
  readonly keep: readonly string[]
  readonly drop: readonly string[]
}

/** Code, native code and licences; no types, sources, maps, tests or documents. */
const usual: FileRule = {
  keep: [
    '**/*.{js,cjs,mjs,json,node}',
    '**/*.so',
    '**/*.so.*',
    '**/{LICENSE,LICENCE,NOTICE,COPYING}*',
    '**/THIRD*PARTY*',
  ],
  drop: [
    '{test,tests,__tests__,benchmarks,benchmark,docs,examples,example,scripts,script,install}/**',
    '**/tsconfig*.json',
    '**/*.test.*',
  ],
}

const special: readonly { readonly packages: string; readonly rule: FileRule }[] = [
  { packages: 'node-linux-*', rule: { keep: ['bin/node', 'LICENSE', 'package.json'], drop: [] } },
  {
    packages: 'onnxruntime-node',
    rule: { keep: ['package.json', 'dist/**/*.js', 'bin/napi-v*/linux/CPU/**', 'LICENSE*', '*NOTICES*'], drop: [] },
  },
  // CommonJS is what its own `main` and the bindings load; a second copy of everything is left out.
  {
    packages: 'onnxruntime-common',
    rule: { keep: ['package.json', 'dist/cjs/**', 'LICENSE*'], drop: ['**/*.{ts,map}'] },
  },
  { packages: 'zod', rule: { keep: ['*.{js,json}', 'LICENSE', 'v4/**/*.js'], drop: [] } },
  { packages: 'yaml', rule: { keep: ['package.json', 'LICENSE', 'dist/**/*.js'], drop: [] } },
]

export type Cpu = 'x64' | 'arm64'

/** What images are made for, in the words of OCI and of npm. */
export const runtimePlatforms: readonly { readonly name: string; readonly cpu: Cpu }[] = [
  { name: 'linux/amd64', cpu: 'x64' },
  { name: 'linux/arm64', cpu: 'arm64' },
]

/** The globs that decide which files of a package a layer holds; `CPU` stays a placeholder. */
export function fileRule(packageName: string, cpu: Cpu | 'CPU'): FileRule {
  const rule = special.find(({ packages }) => matchesGlob(packageName, packages))?.rule ?? usual
  const forCpu = (globs: readonly string[]): string[] => globs.map((glob) => glob.replaceAll('CPU', cpu))
  return { keep: forCpu(rule.keep), drop: forCpu(rule.drop) }
}

export function isKept({ keep, drop }: FileRule, path: string): boolean {
  return keep.some((glob) => matchesGlob(path, glob)) && !drop.some((glob) => matchesGlob(path, glob))
}
