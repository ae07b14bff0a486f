import { commitLog, logOf, type Model, put, type Step } from './model.ts'
import { EMPTY_LOG, type Log, type Signer, type State, type Tree } from './state.ts'

type Found = { outcome: 'halted'; reason: string } | { outcome: 'sound'; place: 'equal' | 'older' | 'ahead' }
const halted = (reason: string): Found => ({ outcome: 'halted', reason })

/** As `compareAnchor` and `expectSigned` do. */
function compared(anchored: Tree | undefined, { signed, fence, checkpoints }: Omit<Log, 'entries'>): Found {
  if (anchored === undefined) return halted('anchor-missing')
  const { length } = anchored
  if (length > fence.length) return halted('anchor-ahead')
  if (length > signed.length) return { outcome: 'sound', place: 'ahead' }
  if (length === signed.length)
    return anchored === signed ? { outcome: 'sound', place: 'equal' } : halted('anchor-differs')
  const isKnown = length === 0 || ((checkpoints >> length) & 1) === 1
  return isKnown && signed.startsWith(anchored) ? { outcome: 'sound', place: 'older' } : halted('anchor-differs')
}

/** The tree that the rows make, or why it must not be signed. */
function verified(model: Model, state: State, log: number): { tree: Tree } | { reason: string } | undefined {
  const { entries, fence: kept, signed, checkpoints, closed } = logOf(state.database, log)
  if (closed !== undefined) return { reason: 'closed' }
  const fence = model.flaw === 'fence ignored' ? entries : kept
  const anchored = state.anchors[log]
  const found = model.flaw === 'no anchor' ? undefined : compared(anchored, { signed, fence, checkpoints, closed })
  if (found?.outcome === 'halted') return { reason: found.reason }
  const isDue = fence.length > signed.length || (model.refresh === true && fence !== '')
  if (!isDue) return undefined
  const upTo = (size: number): Tree => signed + entries.slice(signed.length, size)
  if (found?.place === 'ahead' && upTo(anchored?.length ?? 0) !== anchored) return { reason: 'anchor-differs' }
  const tree = upTo(Math.max(fence.length, signed.length))
  return tree === fence ? { tree } : { reason: 'root-differs' }
}

/** Steps of one signer: D under the lock of what is signed; E; the signature; F, which commits. */
export function signerSteps(model: Model, state: State, n: number): Step[] {
  const one = state.signers[n]
  if (one === undefined) return []
  const name = `signer ${n + 1}`
  const becomes = (next: State, to: Signer): State => ({ ...next, signers: put(next.signers, n, to) })
  const { log } = one
  if (one.at === 'idle') {
    if (state.signers.some((other) => other.at !== 'idle' && other.log === log && !other.lost)) return []
    const found = verified(model, state, log)
    if (found === undefined) return []
    if ('reason' in found)
      return [{ label: `${name} halts: ${found.reason}`, next: { ...state, halted: found.reason } }]
    const anchored = state.anchors[log]
    const next = becomes(state, { at: 'verified', log, anchored, tree: found.tree, lost: false })
    return [{ label: `${name} reads back and verifies ${found.tree} (D)`, next }]
  }
  if (one.at === 'anchored') return [stored(model, state, { name, one, becomes })]
  const idle: Signer = { at: 'idle', log }
  const isThere = one.anchored?.length === one.tree.length
  const mayMove = model.flaw === 'anchor put without compare' || state.anchors[log] === one.anchored
  const signed = { ...state, signatures: withSignature(state.signatures, log, one.tree) }
  const moved = (from: State): State =>
    model.flaw === 'no anchor' || isThere ? from : { ...from, anchors: put(from.anchors, log, one.tree) }
  if (model.flaw === 'anchor moved after the signature' && one.at === 'verified')
    return [{ label: `${name} signs ${one.tree}`, next: becomes(signed, { ...one, at: 'noted' }) }]
  if (model.flaw !== 'no anchor' && !isThere && !mayMove)
    return [{ label: `${name} finds the anchor moved, and gives up (E)`, next: becomes(state, idle) }]
  return [
    {
      label: `${name} moves the anchor (E) and signs ${one.tree}`,
      next: becomes(moved(signed), { ...one, at: 'anchored' }),
    },
  ]
}

const withSignature = (given: State['signatures'], log: number, tree: Tree): State['signatures'] => {
  const trees = given[log] ?? []
  return trees.includes(tree) ? given : put(given, log, [...trees, tree].sort())
}

interface Turn {
  name: string
  one: Exclude<Signer, { at: 'idle' }>
  becomes(next: State, to: Signer): State
}

function stored(model: Model, state: State, { name, one: { log, tree, lost }, becomes }: Turn): Step {
  const idle: Signer = { at: 'idle', log }
  if (lost) return { label: `${name} finds its transaction gone (F)`, next: becomes(state, idle) }
  const { checkpoints } = logOf(state.database, log)
  const change = { signed: tree, checkpoints: checkpoints | (1 << tree.length) }
  return { label: `${name} stores the checkpoint (F)`, next: becomes(commitLog(model, state, log, change), idle) }
}

/** A look without the lock, statement by statement: signed, anchor, fence. */
export function watcherSteps(model: Model, state: State): Step[] {
  const { watcher, database, anchors } = state
  const log = logOf(database, 0)
  const fenceFirst = model.flaw === 'fence read before the anchor'
  const anchored = anchors[0]
  if (watcher.at === 'idle')
    return [
      { label: 'the watcher reads what is signed', next: { ...state, watcher: { at: 'signed', signed: log.signed } } },
    ]
  const { signed } = watcher
  if (watcher.at === 'signed') {
    const other = fenceFirst ? log.fence : (anchored ?? '')
    return [
      {
        label: `the watcher reads the ${fenceFirst ? 'fence' : 'anchor'}`,
        next: { ...state, watcher: { at: 'read', signed, other } },
      },
    ]
  }
  const [anchor, fence] = fenceFirst ? [anchored, watcher.other] : [watcher.other, log.fence]
  const found = compared(anchor, { ...EMPTY_LOG, signed, fence, checkpoints: log.checkpoints })
  if (found.outcome === 'halted')
    return [{ label: `the watcher halts: ${found.reason}`, next: { ...state, halted: found.reason } }]
  return [{ label: 'the watcher finds all well', next: { ...state, watcher: { at: 'idle' } } }]
}
