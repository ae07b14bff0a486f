import { equal, type Hash } from '../kernel/bytes.ts'
import { nodeHash } from './merkle.ts'

/** A leaf of a tree with its audit path, leaf side first. */
export interface PlacedLeaf {
  leaf: Uint8Array
  index: number
  path: readonly Uint8Array[]
}

/** A node on the way up from a leaf, by level and place, and the place of its sibling. */
interface Step {
  level: number
  at: number
  beside: number
}

/**
 * Whether leaves are in the tree of a root (RFC 9162 section 2.1.3.2), each by its whole path. What a path showed to be under the root
 * is compared for the next ones and not hashed again: of a tree whose leaves all come, two hashes a leaf.
 */
export function createPathCheck(hash: Hash, root: Uint8Array, size: number): (placed: PlacedLeaf) => boolean {
  /** Nodes that are under the root, by level and place; never one without its sibling. */
  const known: Map<number, Uint8Array>[] = []
  const knownAt = (level: number, at: number): Uint8Array => known[level]?.get(at) ?? NONE
  const keep = (level: number, at: number, node: Uint8Array): void => {
    known[level] ??= new Map()
    known[level].set(at, node)
  }
  const areKnown = (steps: readonly Step[], siblings: readonly Uint8Array[]): boolean =>
    steps.every(({ level, beside }, i) => equal(knownAt(level, beside), siblings[i] ?? NONE))

  /** Up to a node that is known, or to the root. What was met on the way is known from then on. */
  const climbs = (steps: readonly Step[], leaf: Uint8Array, path: readonly Uint8Array[]): boolean => {
    const found = steps.findIndex(({ level, at }) => knownAt(level, at).length > 0)
    const n = found < 0 ? steps.length : found
    const nodes = climbed(hash, leaf, { steps: steps.slice(0, n), path })
    const met = steps[n]
    const goal = met === undefined ? root : knownAt(met.level, met.at)
    if (!equal(nodes.at(-1) ?? NONE, goal) || !areKnown(steps.slice(n), path.slice(n))) return false
    for (const [i, { level, at, beside }] of steps.slice(0, n).entries()) {
      keep(level, at, nodes[i] ?? NONE)
      keep(level, beside, path[i] ?? NONE)
    }
    return true
  }

  return ({ leaf, index, path }) => {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false
    const steps = stepsOf(index, size)
    return steps.length === path.length && climbs(steps, leaf, path)
  }
}

const NONE = new Uint8Array(0)

/** The leaf and the nodes above it, as its siblings make them. */
function climbed(
  hash: Hash,
  leaf: Uint8Array,
  { steps, path }: { steps: readonly Step[]; path: readonly Uint8Array[] },
): Uint8Array[] {
  const nodes = [leaf]
  let node = leaf
  for (const [i, { at }] of steps.entries()) {
    const sibling = path[i] ?? NONE
    node = at % 2 === 0 ? nodeHash(hash, node, sibling) : nodeHash(hash, sibling, node)
    nodes.push(node)
  }
  return nodes
}

function stepsOf(index: number, size: number): Step[] {
  const steps: Step[] = []
  let [level, at, last] = [0, index, size - 1]
  for (; last > 0; level += 1) {
    // The last node of a level, where it has no sibling, rises unchanged.
    for (; at === last && at % 2 === 0; level += 1) [at, last] = [at / 2, last / 2]
    steps.push({ level, at, beside: at % 2 === 0 ? at + 1 : at - 1 })
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return steps
}
