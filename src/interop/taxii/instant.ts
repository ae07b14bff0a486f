/** Microseconds since 1970 as TAXII writes them: six digits and `Z`. */
export function instantText(us: bigint): string {
  const ms = us / 1_000n
  const rest = String(us % 1_000n).padStart(3, '0')
  return `${new Date(Number(ms)).toISOString().slice(0, 23)}${rest}Z`
}

const INSTANT = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?Z$/

/** Undefined for what is no instant in UTC, of a day that is not there, or finer than microseconds: `Date` would lose the rest. */
export function instantIn(text: string): bigint | undefined {
  const [, seconds, fraction = ''] = INSTANT.exec(text) ?? []
  const ms = seconds === undefined ? Number.NaN : Date.parse(`${seconds}Z`)
  // Of 31 April another day would be made.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== seconds) return undefined
  return BigInt(ms) * 1_000n + BigInt(fraction.padEnd(6, '0'))
}
