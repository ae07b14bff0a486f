import { readFileSync } from 'node:fs'

interface CpuProfile {
  nodes: readonly {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
  }[]
  samples: readonly number[]
  timeDeltas: readonly number[]
}

const SHOWN = 30

/** The functions that themselves used most of the main thread, as lines of text. */
export function topFunctions(path: string, root: string): string[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame, root)]))
  const self = new Map<string, number>()
  samples.forEach((id, i) => {
    const name = nameOf.get(id) ?? '(unknown)'
    self.set(name, (self.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  })
  const total = [...self.values()].reduce((sum, one) => sum + one, 0)
  return [...self]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`)
}

function placeOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'], root: string): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  return `${name}  ${url.replace(`file://${root}/`, '').replace(/^node_modules\//, '')}:${lineNumber + 1}`
}
