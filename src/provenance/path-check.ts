import { equal, type Hash } from '../kernel/bytes.ts'
import { nodeHash } from './merkle.ts'

/** A leaf of a tree with its audit path: nodes of 32 bytes, joined, leaf side first. */
export interface PlacedLeaf {
  leaf: Uint8Array
  index: number
  path: Uint8Array
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
  const areKnown = (steps: readonly Step[], from: number, path: Uint8Array): boolean => {
    for (let i = from; i < steps.length; i++) {
      const step = steps[i]
      if (step === undefined || !isAt(path, NODE_BYTES * i, knownAt(step.level, step.beside))) return false
    }
    return true
  }

  /** Up to a node that is known, or to the root. What was met on the way is known from then on. */
  const climbs = (steps: readonly Step[], leaf: Uint8Array, path: Uint8Array): boolean => {
    const found = steps.findIndex(({ level, at }) => known[level]?.has(at) === true)
    const n = found < 0 ? steps.length : found
    const nodes = climbed(hash, leaf, { steps: steps.slice(0, n), path })
    const met = steps[n]
    const goal = met === undefined ? root : knownAt(met.level, met.at)
    if (!equal(nodes.at(-1) ?? NONE, goal) || !areKnown(steps, n, path)) return false
    for (const [i, { level, at, beside }] of steps.slice(0, n).entries()) {
      keep(level, at, nodes[i] ?? NONE)
      keep(level, beside, siblingAt(path, i))
    }
    return true
  }

  return ({ leaf, index, path }) => {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false
    const steps = stepsOf(index, size)
    return NODE_BYTES * steps.length === path.length && climbs(steps, leaf, path)
  }
}

const NODE_BYTES = 32
const NONE = new Uint8Array(0)

const siblingAt = (path: Uint8Array, i: number): Uint8Array => path.subarray(NODE_BYTES * i, NODE_BYTES * (i + 1))

/** Whether a node stands in a path at this place. */
function isAt(path: Uint8Array, from: number, node: Uint8Array): boolean {
  for (let i = 0; i < NODE_BYTES; i++) if (path[from + i] !== node[i]) return false
  return true
}

/** The leaf and the nodes above it, as its siblings make them. */
function climbed(
  hash: Hash,
  leaf: Uint8Array,
  { steps, path }: { steps: readonly Step[]; path: Uint8Array },
): Uint8Array[] {
  const nodes = [leaf]
  let node = leaf
  for (const [i, { at }] of steps.entries()) {
    const sibling = siblingAt(path, i)
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
