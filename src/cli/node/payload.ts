import { readIfThere } from '../../client/files.ts'
import { Refusal, StartRefused } from '../../kernel/errors.ts'

/** Three members of the line that `aldis oprf-holder --json` wrote. */
export function holderIn(file: string): object {
  const { public_key, origin, pin } = jsonOf(readTextFile(file)) as Record<string, unknown>
  return { public_key, origin, pin }
}

function readTextFile(file: string): string {
  const text = readIfThere(file)
  if (text === undefined) throw new StartRefused(`${file}: is missing`)
  return text
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Refusal('invalid-json', { detail: 'the payload is not JSON' })
  }
}
