import { type Uuid, uuidBytes } from '../../kernel/ids.ts'
import { sha256Hex } from '../../kernel/sha256.ts'

/** Our property extension: the fields of a signal that have no home in STIX. */
export const EXTENSION = 'extension-definition--2f9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21'

/**
 * The UUID of a signal's object, which the node and each bridge derive alike. Of the form of version 4, which the schemas of STIX
 * demand: nine bytes tell the source, so that nobody else's signal takes the same id, and seven find the signal.
 */
export function objectUuid(source: string, signal: Uuid): Uuid {
  const whose = sha256Hex(`aldis-stix/1\0${source}\0${signal}`)
  return versionFour(whose.slice(0, 18) + keyOfSignal(signal))
}

/** In hex, four bytes of when the signal was named and three of a digest: what the index over feeds is made of, and `keyOfObject` finds. */
export const keyOfSignal = (signal: Uuid): string =>
  signal.slice(2, 8) + signal.slice(9, 11) + sha256Hex(uuidBytes(signal)).slice(26, 32)

/** By which the signal of an object is found: seven bytes in hex; undefined where it is no id. */
export function keyOfObject(id: string): string | undefined {
  const [, bytes] = OBJECT_ID.exec(id) ?? []
  return bytes === undefined ? undefined : bytes.replace('-', '')
}

const OBJECT_ID =
  /^[a-z][a-z0-9-]{0,40}--[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]([0-9a-f]{2}-[0-9a-f]{12})$/

/** Of an organisation of the programme: few, and asked for with every object. */
export function identityId(slug: string): string {
  const known = identities.get(slug)
  if (known !== undefined) return known
  if (identities.size === IDENTITIES_KEPT) identities.clear()
  const id = named('identity', slug)
  identities.set(slug, id)
  return id
}

const IDENTITIES_KEPT = 1_000
const identities = new Map<string, string>()

/** An id that is made of a published name. */
const named = (type: string, name: string): string => `${type}--${uuidOf(type, name)}`

/** Of what is named by something of ours, such as an entry of the log. */
export const uuidOf = (type: string, name: string): Uuid => versionFour(sha256Hex(`aldis-stix/1\0${type}\0${name}`))

/** Of 16 bytes in hex; what follows is passed over. */
export function versionFour(hex: string): Uuid {
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3]
  const last = hex.slice(17, 20)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${last}-${hex.slice(20, 32)}` as Uuid
}
