/** What a path names, below the place of the server. */
export type Resource =
  | { kind: 'discovery' }
  | { kind: 'root' }
  | { kind: 'collections' }
  | { kind: 'status'; id: string }
  | Within

/** In a collection. */
export type Within =
  | { kind: 'collection' | 'objects' | 'manifest'; collection: string }
  | { kind: 'object' | 'versions'; collection: string; object: string }

export const METHODS: Readonly<Record<Resource['kind'], readonly string[]>> = {
  ...{ discovery: ['GET'], root: ['GET'], collections: ['GET'], collection: ['GET'], status: ['GET'] },
  ...{ objects: ['GET', 'POST'], manifest: ['GET'], object: ['GET', 'DELETE'], versions: ['GET'] },
}

/** The prefix of every path. */
export const TAXII_PATH = '/taxii2'

/** Undefined for what is not there. The slash at the end may be missing: to redirect would lose a body. */
export function resourceAt(path: string, programme: string): Resource | undefined {
  const whole = path.endsWith('/') ? path.slice(0, -1) : path
  if (whole !== TAXII_PATH && !whole.startsWith(`${TAXII_PATH}/`)) return undefined
  const [root, ...rest] = whole.slice(TAXII_PATH.length + 1).split('/')
  if (root === '' && rest.length === 0) return { kind: 'discovery' }
  if (root !== programme || !rest.every((part) => PART.test(part))) return undefined
  const [first, ...parts] = rest
  if (first === undefined) return { kind: 'root' }
  if (first === 'status' && parts.length === 1) return { kind: 'status', id: parts[0] ?? '' }
  return first === 'collections' ? within(parts) : undefined
}

const PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/

function within([collection, what, object, versions, ...more]: readonly string[]): Resource | undefined {
  if (collection === undefined) return { kind: 'collections' }
  if (what === undefined) return { kind: 'collection', collection }
  if (what === 'manifest' && object === undefined) return { kind: 'manifest', collection }
  if (what !== 'objects' || more.length > 0) return undefined
  if (object === undefined) return { kind: 'objects', collection }
  if (versions === undefined) return { kind: 'object', collection, object }
  return versions === 'versions' ? { kind: 'versions', collection, object } : undefined
}
