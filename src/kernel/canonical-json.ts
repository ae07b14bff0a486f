/** RFC 8785 for our own payloads: strings, safe integers, booleans, null, arrays, objects; a TypeError for anything else. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return Object.is(value, -0) ? '0' : String(value)
  if (Array.isArray(value)) return `[${Array.from(value, (one) => canonicalJson(one)).join(',')}]`
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    throw new TypeError('not canonical JSON')
  // Sorted by UTF-16 code units, as JavaScript compares strings (section 3.2.3).
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${text(name)}:${canonicalJson(member)}`).join(',')}}`
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('a lone surrogate')
  return JSON.stringify(value)
}
