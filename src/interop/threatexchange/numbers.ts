import { utf8 } from '../../kernel/bytes.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { sha256 } from '../../kernel/sha256.ts'

/** Clients take ids for whole numbers, as text; a name has the same number for ever. */
export function numberOf(kind: 'participant' | 'group', name: string): string {
  const digest = sha256(utf8(`aldis-number/1\0${kind}\0${name}`)).readBigUInt64BE()
  return String(LEAST + (digest % (9n * LEAST)))
}

/** Of 15 digits: a number of JavaScript as well. */
const LEAST = 100_000_000_000_000n

/** Of a signal: its UUID in decimal. */
export const descriptorId = (signal: Uuid): string => BigInt(`0x${signal.replaceAll('-', '')}`).toString()

export function signalIn(descriptor: string): Uuid | undefined {
  if (!/^[1-9][0-9]{0,38}$/.test(descriptor)) return undefined
  const hex = BigInt(descriptor).toString(16).padStart(32, '0')
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return isUuid(id) ? id : undefined
}

/** Of a value: 63 bits of a digest. */
export const indicatorId = (type: string, indicator: string): string =>
  String(sha256(utf8(`${type}\0${indicator}`)).readBigUInt64BE() >> 1n)
