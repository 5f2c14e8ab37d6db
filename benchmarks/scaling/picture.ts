import type { LoadTrace } from './load.ts'
import { type SimulatedSecond, type SimulatedService, simulateScaling } from './simulation.ts'

const width = 860
const panelHeight = 170
const margin = { left: 44, right: 150, top: 26, bottom: 26 } as const
const plotWidth = width - margin.left - margin.right
const plotHeight = panelHeight - margin.top - margin.bottom
const colours = { load: '#d5dbe3', plain: '#1f6feb', burst: '#d9730d', text: '#24292f', faint: '#8b949e' } as const

/** One panel for each load: what is needed as an area, what the autoscaler gives as lines, with and without burst mode. */
export function drawScaling(loads: readonly LoadTrace[], service: Omit<SimulatedService, 'burst'>): string {
  const height = panelHeight * loads.length + 44
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    drawLegend(),
    ...loads.map((load, index) => drawPanel(load, service, 34 + index * panelHeight)),
    '</svg>',
    '',
  ].join('\n')
}

function drawLegend(): string {
  const entries = [
    [colours.load, 'replicas the load needs'],
    [colours.plain, 'replicas, as HPA v2'],
    [colours.burst, 'replicas, with burst mode'],
  ] as const
  return entries
    .map(([colour, text], index) => {
      const x = margin.left + index * 200
      return `<rect x="${x}" y="14" width="14" height="10" fill="${colour}"/><text x="${x + 20}" y="23" fill="${colours.text}">${text}</text>`
    })
    .join('\n')
}

function drawPanel(load: LoadTrace, service: Omit<SimulatedService, 'burst'>, top: number): string {
  const { requestsPerSecond } = load
  const needed = requestsPerSecond.map((rate) => (rate * service.serviceS) / service.targetConcurrency)
  const plain = simulateScaling(load, { ...service, burst: false })
  const burst = simulateScaling(load, { ...service, burst: true })
  const most = Math.max(...needed, ...plain.map(({ ready }) => ready), ...burst.map(({ ready }) => ready), 1)
  const x = (second: number): string => (margin.left + (second / requestsPerSecond.length) * plotWidth).toFixed(0)
  const y = (replicas: number): string => (top + margin.top + plotHeight * (1 - replicas / most)).toFixed(1)
  const minutes = requestsPerSecond.length / 60
  const ticks = Array.from({ length: 7 }, (_, index) => Math.round((minutes * index) / 6))
  const right = width - margin.right + 10
  return [
    `<text x="${margin.left}" y="${top + 18}" font-weight="600" fill="${colours.text}">${load.name}</text>`,
    `<path d="M${x(0)} ${y(0)} ${lineTo(needed, x, y)} L${x(needed.length)} ${y(0)} Z" fill="${colours.load}"/>`,
    `<path d="M${x(0)} ${y(0)} H${x(needed.length)}" stroke="${colours.faint}"/>`,
    drawReady(burst, colours.burst, x, y),
    drawReady(plain, colours.plain, x, y),
    `<text x="${margin.left - 8}" y="${y(most)}" text-anchor="end" fill="${colours.faint}">${Math.round(most)}</text>`,
    `<text x="${margin.left - 8}" y="${y(0)}" text-anchor="end" fill="${colours.faint}">0</text>`,
    ...ticks.map(
      (minute) =>
        `<text x="${x(minute * 60)}" y="${Number(y(0)) + 16}" text-anchor="middle" fill="${colours.faint}">${minute} min</text>`,
    ),
    `<text x="${right}" y="${top + margin.top + 20}" fill="${colours.plain}">${describe(plain, needed)}</text>`,
    `<text x="${right}" y="${top + margin.top + 40}" fill="${colours.burst}">${describe(burst, needed)}</text>`,
  ].join('\n')
}

type Scale = (value: number) => string

/** Points only where the picture changes by a pixel: four hours are 14,400 seconds. */
function lineTo(values: readonly number[], x: Scale, y: Scale): string {
  let text = ''
  let [drawnX, drawnY] = ['', '']
  const draw = (second: number, value: number): void => {
    ;[drawnX, drawnY] = [x(second), y(value)]
    text += `L${drawnX} ${drawnY}`
  }
  for (const [second, value] of values.entries()) {
    const before = values[second - 1] ?? value
    const jumps = Math.abs(before - value) >= 0.5
    if (jumps) draw(second, before)
    const moves = x(second) !== drawnX && y(value) !== drawnY
    if (jumps || moves || second === values.length - 1) draw(second, value)
  }
  return text
}

function drawReady(seconds: readonly SimulatedSecond[], colour: string, x: Scale, y: Scale): string {
  const ready = seconds.map((second) => second.ready)
  return `<path d="M${x(0)} ${y(ready[0] ?? 0)} ${lineTo(ready, x, y)}" fill="none" stroke="${colour}" stroke-width="1.6"/>`
}

/** How long somebody waited, and how many replicas were paid for beyond what was needed. */
function describe(seconds: readonly SimulatedSecond[], needed: readonly number[]): string {
  const waiting = seconds.filter(({ backlog }) => backlog >= 1).length
  const given = seconds.reduce((sum, { ready }) => sum + ready, 0)
  const wanted = needed.reduce((sum, value) => sum + value, 0)
  return `${waiting} s short, ${(given / wanted).toFixed(2)}x`
}
