/**
 * The part of the metadata proposal that tsyringe, below @peculiar/x509, asks of `Reflect` and refuses to load without.
 * Import this file before that package. Nothing is replaced where a complete polyfill stands already.
 */

type Metadata = Map<unknown, unknown>
interface MetadataApi {
  getMetadata?: unknown
}

const held = new WeakMap<object, Metadata>()
const own = (key: unknown, target: object): unknown => held.get(target)?.get(key)

function inherited(key: unknown, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    if (held.get(at)?.has(key) === true) return own(key, at)
  }
  return undefined
}

function define(key: unknown, value: unknown, target: object): void {
  const metadata = held.get(target) ?? new Map()
  held.set(target, metadata.set(key, value))
}

if ((Reflect as MetadataApi).getMetadata === undefined) {
  Object.assign(Reflect, { getMetadata: inherited, getOwnMetadata: own, defineMetadata: define })
}
