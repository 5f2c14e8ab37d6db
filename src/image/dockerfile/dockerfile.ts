import { type BuildPlan, type PlannedLayer, imagePaths, imageUser } from '../plan/build-plan.ts'

export interface DockerfileOptions {
  /** Name of the file, from which the names of those beside it follow. */
  readonly file: string
  /** Stage that runs npm. */
  readonly buildBase: string
  /** Asks for the person's own `.npmrc` as a secret while packages are fetched. Only BuildKit and Buildah know secrets. */
  readonly npmrc: boolean
  /** Where each file of the model lies in the build context, by its name in the model. */
  readonly modelFiles: ReadonlyMap<string, string>
}

/** First line of every file that is ours, and may be replaced. */
export const ownMark = '# Made by `towline build --dockerfile`; run it again rather than editing this.'

/** The plan as a Dockerfile: for Docker with BuildKit or its classic builder, Buildah and Podman. Pure. */
export function renderDockerfile(plan: BuildPlan, options: DockerfileOptions): string {
  const files = `${options.file}.files`
  const packageLayers = plan.layers.filter(({ content }) => content.kind === 'Packages')
  const blocks = [
    [
      ownMark,
      `# ${plan.name}: build it in this folder with  docker build -f ${options.file} -t ${plan.name} .`,
      ...(options.npmrc
        ? [
            `# Packages come with your own npm settings: add  --secret id=npmrc,src=$HOME/.npmrc  (BuildKit or Buildah).`,
          ]
        : []),
      '',
      '# Another mirror, or a digest: --build-arg BASE=…',
      `ARG BUILD_BASE=${options.buildBase}`,
      `ARG BASE=${plan.base.reference}`,
    ],
    [
      '# Fetches the packages of the lock, each checked against its hash. No install script runs, and nothing is compiled.',
      'FROM ${BUILD_BASE} AS build',
      'WORKDIR /build',
      `COPY ${files}/package.json ${files}/package-lock.json ./`,
      `RUN ${options.npmrc ? '--mount=type=secret,id=npmrc,target=/root/.npmrc ' : ''}npm ci --omit=dev --ignore-scripts --no-bin-links --no-audit --no-fund`,
      '# Keeps what runs on this platform, in one folder for each layer below.',
      `COPY ${files}/lay-out.mjs ${files}/layers.json ./`,
      'RUN ["node", "lay-out.mjs"]',
    ],
    [`# ${plan.base.why}`, 'FROM ${BASE}'],
    ...packageLayers.map((layer) => [`# ${layer.name}: ${layer.why}`, `COPY --from=build /layers/${layer.name}/ /`]),
    ...plan.layers
      .filter(({ content }) => content.kind !== 'Packages')
      .map((layer) => [`# ${layer.name}: ${layer.why}`, ...renderCopies(layer, files, options)]),
    // After the files: a changed label would make a builder copy everything again.
    renderLabels(plan),
    renderRun(plan),
  ]
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/** Excludes everything but what the Dockerfile names. */
export function renderDockerignore(options: DockerfileOptions): string {
  const named = [`${options.file}.files`, ...[...options.modelFiles.values()].map(escapePattern)]
  return `${[ownMark, '**', ...named.map((path) => `!${path}`)].join('\n')}\n`
}

/** Owned by the user that reads them: a file that only its owner may read in the checkout is readable in the container. */
function renderCopies({ content }: PlannedLayer, files: string, options: DockerfileOptions): string[] {
  switch (content.kind) {
    case 'Packages':
      return []
    case 'Model':
      return content.files.map(({ name }) =>
        renderCopy(options.modelFiles.get(name) ?? name, `${imagePaths.models}/${name}`),
      )
    case 'Code':
      return [renderCopy(`${files}/code/`, `${imagePaths.home}/`)]
    case 'Documents':
      return content.documents.map(({ path }) => renderCopy(`${files}/root/${path}`, `/${path}`))
  }
}

function renderCopy(from: string, to: string): string {
  const pair = [escapePattern(from), to]
  const isPlain = !/[\s"\\$]/.test(pair.join(''))
  return `COPY --chown=${imageUser} ${isPlain ? pair.join(' ') : JSON.stringify(pair).replace(/\$/g, '\\\\$')}`
}

/** What is copied is named by patterns; in brackets a character means itself. */
function escapePattern(path: string): string {
  return path.replace(/[*?[]/g, '[$&]')
}

function renderLabels({ run }: BuildPlan): string[] {
  const labels = Object.entries(run.Labels ?? {}).map(([key, value]) => `${quote(key)}=${quote(value)}`)
  return labels.length === 0 ? [] : [`LABEL ${labels.join(' \\\n      ')}`]
}

function renderRun({ run }: BuildPlan): string[] {
  const check = run.Healthcheck
  const seconds = (ns = 0): string => `${ns / 1_000_000_000}s`
  return [
    ...(run.Env ?? []).map((variable) => `ENV ${variable}`),
    '# A number, because Kubernetes can prove only of a number that it is not root.',
    `USER ${run.User}`,
    `WORKDIR ${run.WorkingDir}`,
    `EXPOSE ${Object.keys(run.ExposedPorts ?? {}).join(' ')}`,
    '# The replica drains at this signal. It has no children and handles its signals, so it needs no init.',
    `STOPSIGNAL ${run.StopSignal}`,
    ...(check === undefined
      ? []
      : [
          '# For plain Docker; Kubernetes asks /v2/health/ready by itself.',
          `HEALTHCHECK --interval=${seconds(check.Interval)} --timeout=${seconds(check.Timeout)} --start-period=${seconds(check.StartPeriod)} --retries=${check.Retries} \\`,
          `  CMD ${JSON.stringify(check.Test.slice(1))}`,
        ]),
    `ENTRYPOINT ${JSON.stringify(run.Entrypoint)}`,
    `CMD ${JSON.stringify(run.Cmd)}`,
  ]
}

/** `$` begins a variable in a Dockerfile, also between quotes. */
function quote(value: string): string {
  return `"${value.replace(/[\\"$]/g, (character) => `\\${character}`)}"`
}
