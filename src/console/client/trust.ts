/** What this browser remembers of a log: its key, and the newest head that was verified here. Nothing else is kept. */
import { fromBase64, toBase64 } from '../../kernel/bytes.ts'
import type { Trusted } from '../../provenance/proof-steps.ts'

export interface Remembered {
  vkey: string
  head: Trusted
}

const nameOf = (origin: string): string => `aldis-log ${origin}`

/** Undefined where nothing is remembered; what is there and cannot be read counts as nothing, and is said to be new. */
export function remembered(origin: string): Remembered | undefined {
  const text = localStorage.getItem(nameOf(origin))
  if (text === null) return undefined
  const [vkey, size, encoded] = text.split('\n')
  const root = fromBase64(encoded ?? '')
  if (vkey === undefined || size === undefined || !/^[0-9]{1,18}$/.test(size) || root?.length !== 32) return undefined
  return { vkey, head: { size: BigInt(size), root } }
}

export function remember(origin: string, { vkey, head }: Remembered): void {
  localStorage.setItem(nameOf(origin), `${vkey}\n${head.size}\n${toBase64(head.root)}`)
}
