/** Finds all needles of a set at once (Aho and Corasick, 1975), in time linear in the text. */
export interface Automaton {
  /**
   * Tells each needle, by its place in the set, and where it ends. `hit` answers whether it has heard enough of that needle
   * in this text; it may hear of it again.
   */
  scan(text: { units: Uint16Array; length: number }, hit: (needle: number, end: number) => boolean): void
  readonly states: number
}

/** Cells of whole rows, 16 MiB: the states near the root have one, and nearly all text stays there. */
const CELLS = 4_194_304
/** Children that are looked through one after the other. */
const FEW = 8

/** States in breadth-first order, 0 the root; the children of a state follow each other, by class. */
interface Trie {
  states: number
  /** First child of a state; the next state's first child is the end. */
  first: Int32Array
  /** Class of the edge that leads to a state. */
  label: Uint16Array
  /** Needles, in their order, that end in a state: from, and up to. */
  from: Int32Array
  to: Int32Array
  order: Int32Array
}

/** Of needles that are not empty; the same needle may stand in the set several times. */
export function createAutomaton(needles: readonly string[]): Automaton {
  const { classOf, classes } = classesOf(needles)
  const trie = trieOf(needles, classOf)
  const dense = Math.max(1, Math.min(trie.states, Math.floor(CELLS / classes)))
  const rows = new Int32Array(dense * classes)
  const fail = new Int32Array(trie.states)
  const step = (state: number, unitClass: number): number => {
    let at = state
    while (at >= dense) {
      const child = childOf(trie, at, unitClass)
      if (child !== 0) return child
      at = fail[at] ?? 0
    }
    return rows[at * classes + unitClass] ?? 0
  }
  const report = linkStates(trie, { rows, dense, classes, fail, step })
  const { from, to, order } = trie
  // With it in the row a state that reports nothing, as nearly all, costs no look elsewhere.
  for (let i = 0; i < rows.length; i++) rows[i] = flagged(rows[i] ?? 0)
  function flagged(state: number): number {
    return report[state] === 0 ? state : ~state
  }
  /** The scan in which everything that a state reports was heard. */
  const heard = new Float64Array(trie.states)
  let scans = 0

  function tell(state: number, end: number, hit: (needle: number, end: number) => boolean): void {
    if (heard[state] === scans) return
    let all = true
    for (let at = get(report, state); at !== 0; at = get(report, get(fail, at))) {
      for (let i = get(from, at); i < get(to, at); i++) all = hit(get(order, i), end) && all
    }
    if (all) heard[state] = scans
  }

  /** From a state without a row; what comes from a row has its flag. */
  function deep(state: number, unitClass: number): number {
    const next = step(state, unitClass)
    return next < 0 ? next : flagged(next)
  }

  return {
    states: trie.states,
    scan({ units, length }, hit) {
      scans += 1
      let state = 0
      for (let i = 0; i < length; i++) {
        const unitClass = classOf[units[i] ?? 0] ?? 0
        state = state < dense ? (rows[state * classes + unitClass] ?? 0) : deep(state, unitClass)
        if (state < 0) {
          state = ~state
          tell(state, i + 1, hit)
        }
      }
    },
  }
}

/** Units that occur in needles have a class each; 0 is everything else. */
function classesOf(needles: readonly string[]): { classOf: Uint16Array; classes: number } {
  const classOf = new Uint16Array(0x10000)
  for (const needle of needles) for (let i = 0; i < needle.length; i++) classOf[needle.charCodeAt(i)] = 1
  let classes = 1
  for (let unit = 0; unit < classOf.length; unit++) if (classOf[unit] === 1) classOf[unit] = classes++
  return { classOf, classes }
}

/** From the sorted needles, where those of one prefix stand together. */
function trieOf(needles: readonly string[], classOf: Uint16Array): Trie {
  const sorted = needles.map((_, i) => i).sort((a, b) => compare(needles[a] ?? '', needles[b] ?? ''))
  const order = Int32Array.from(sorted)
  const most = needles.reduce((sum, { length }) => sum + length, 1)
  const [first, from, to] = [new Int32Array(most + 1), new Int32Array(most), new Int32Array(most)]
  const label = new Uint16Array(most)
  const [ends, depths] = [new Int32Array(most), new Int32Array(most)]
  ends[0] = order.length
  let states = 1
  const needleAt = (i: number): string => needles[get(order, i)] ?? ''
  /** Where the needles from `start` on that have the same unit there, end. */
  const sameUntil = (start: number, end: number, depth: number): number => {
    const unit = needleAt(start).charCodeAt(depth)
    let at = start
    while (at < end && needleAt(at).charCodeAt(depth) === unit) at += 1
    return at
  }
  for (let state = 0; state < states; state++) {
    const [depth, end] = [get(depths, state), get(ends, state)]
    let at = get(from, state)
    while (at < end && needleAt(at).length === depth) at += 1
    to[state] = at
    first[state] = states
    while (at < end) {
      from[states] = at
      label[states] = classOf[needleAt(at).charCodeAt(depth)] ?? 0
      depths[states] = depth + 1
      at = sameUntil(at, end, depth)
      ends[states] = at
      states += 1
    }
  }
  first[states] = states
  return { states, first, label, from, to, order }
}

interface Links {
  rows: Int32Array
  dense: number
  classes: number
  fail: Int32Array
  step(state: number, unitClass: number): number
}

/**
 * Fills in for each state the longest proper suffix that is a state too, and the rows. Answers for each state the nearest
 * on that way, itself first, in which a needle ends.
 */
function linkStates(trie: Trie, links: Links): Int32Array {
  const { states, from, to } = trie
  const { rows, dense, classes, fail } = links
  const report = new Int32Array(states)
  for (let state = 0; state < states; state++) {
    const back = get(fail, state)
    report[state] = get(to, state) > get(from, state) ? state : get(report, back)
    // Breadth first: the row of a suffix, which is shorter, is whole.
    if (state > 0 && state < dense) rows.copyWithin(state * classes, back * classes, (back + 1) * classes)
    linkChildren(state, trie, links)
  }
  return report
}

function linkChildren(state: number, { first, label }: Trie, { rows, dense, classes, fail, step }: Links): void {
  for (let child = get(first, state); child < get(first, state + 1); child++) {
    const edge = label[child] ?? 0
    fail[child] = state === 0 ? 0 : step(get(fail, state), edge)
    if (state < dense) rows[state * classes + edge] = child
  }
}

/** 0 if there is none: the root is nobody's child. */
function childOf({ first, label }: Trie, state: number, unitClass: number): number {
  let low = first[state] ?? 0
  let high = first[state + 1] ?? 0
  while (high - low > FEW) {
    const middle = (low + high) >> 1
    if ((label[middle] ?? 0) <= unitClass) low = middle
    else high = middle
  }
  for (; low < high; low++) if (label[low] === unitClass) return low
  return 0
}

const get = (array: Int32Array, i: number): number => array[i] ?? 0
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
