import { parseArgs } from 'node:util'

export interface Options {
  /** Figures to measure; all if empty. */
  names: readonly string[]
  /** Where the JSON goes. */
  json: string | undefined
  /** Share of the full counts, for a try. */
  scale: number
  /** Also at the first hundredth and tenth of the signals. */
  growth: boolean
  /** Puts what was measured into `docs/benchmarks.md`. */
  write: boolean
  /** The one figure whose measured side runs under the CPU profiler, without its reference. */
  profile: string | undefined
}

/** `npm run bench -- NAME… --json FILE --scale 0.01 --growth --write --profile NAME`; throws on anything else. */
export function readOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      scale: { type: 'string', default: '1' },
      growth: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  })
  const { json, growth, write, profile } = values
  const scale = Number(values.scale)
  if (!(scale > 0 && scale <= 1)) throw new RangeError('--scale is more than 0 and at most 1')
  const unknown = [...positionals, ...(profile === undefined ? [] : [profile])].find((name) => !known.includes(name))
  if (unknown !== undefined) throw new RangeError(`no figure ${unknown}; there are ${known.join(', ')}`)
  if (write && (scale !== 1 || profile !== undefined))
    throw new RangeError('--write is for figures at their full size, with their references')
  const names = profile === undefined ? positionals : [profile]
  return { names, json, scale, growth, write, profile }
}
