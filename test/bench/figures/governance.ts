import { parseFilter } from '../../../src/provenance/explore-filter.ts'
import { signalBefore } from '../explored-entries.ts'
import { DAYS, type ExploredWorld, openExploredWorld } from '../explored-world.ts'
import { quantile, type Spec, type Timed } from '../measure.ts'
import type { World } from '../world.ts'

/** Entries for each of the signals of a run: of a full one 5,000,000. */
const ENTRIES_PER_SIGNAL = 5
const PAGE = 100
/** Pages of one filter in a round. */
const PAGES = 20
const MATRICES = 20
const DAY_MS = 86_400_000
const QUARTER = 92
/** Below it a count of a report is left out. */
const K = 5
/** Parts of a report after which it is told how far it is. */
const TOLD = 10

interface Asked {
  world: World
  signals: number
}

/** What looks over the whole log: all three on the same year, which whichever comes first loads. */
export function createGoverned(say: (text: string) => void) {
  let opened: Promise<ExploredWorld> | undefined
  const open = ({ world, signals }: Asked): Promise<ExploredWorld> => {
    opened ??= openExploredWorld(world, signals * ENTRIES_PER_SIGNAL, say)
    return opened
  }
  return {
    explore: (asked: Asked): Spec => exploreSpec(entriesOf(asked), () => open(asked), say),
    matrix: (asked: Asked): Spec => matrixSpec(entriesOf(asked), () => open(asked)),
    report: (asked: Asked): Spec => reportSpec(entriesOf(asked), () => open(asked), say),
    end: async () => (await opened?.catch(() => undefined))?.end(),
  }
}

const entriesOf = ({ signals }: Asked): string => (signals * ENTRIES_PER_SIGNAL).toLocaleString('en')
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** By each field, by several of them, by what is rare, and in the middle of the log. */
function lookedFor({ from, entries }: ExploredWorld): { q: string; below?: bigint }[] {
  const day = (share: number): string => dayOf(from.getTime() + Math.floor(DAYS * share) * DAY_MS)
  return [
    { q: '' },
    { q: 'actor:apricot' },
    { q: 'kind:read.batch' },
    { q: 'kind:signal.*' },
    { q: `signal:${signalBefore(Math.floor(entries / 2))}` },
    { q: 'recipient:cherry' },
    { q: `at>=${day(0.4)} at<${day(0.5)}` },
    { q: `kind:feedback.given recipient:apricot -actor:cherry at>=${day(0.2)}` },
    { q: 'party:apricot party:cherry -recipient:cherry -kind:read.batch' },
    { q: 'kind:hold.placed' },
    { q: 'actor:heron kind:credential.enrolled' },
    { q: 'recipient:cherry', below: BigInt(Math.floor(entries / 2)) },
    { q: 'kind:dispute.opened', below: BigInt(Math.floor(entries / 2)) },
  ]
}

function exploreSpec(entries: string, open: () => Promise<ExploredWorld>, say: (text: string) => void): Spec {
  return {
    name: 'audit.explore',
    what: `p95 of a page of ${PAGE} of ${entries} entries by the slowest of thirteen filters, two of them in the middle of the log; the look recorded and each row held against the signed tree`,
    unit: 'ms',
    ...{ target: 300, less: true, rounds: 5, warmups: 1 },
    measured: async (timed) => {
      const world = await open()
      const asked = lookedFor(world)
      const took = asked.map((): number[] => [])
      await timed(async () => {
        // In turn, so that none has the memory of the server to itself.
        for (let i = 0; i < PAGES; i++) for (const [j, one] of asked.entries()) took[j]?.push(await pageOf(world, one))
      })
      const slowest = took.map((own) => quantile(own, 0.95))
      say(
        asked
          .map(({ q, below }, i) => `${q}${below === undefined ? '' : ' later'}: ${slowest[i]?.toFixed(0)}`)
          .join('; '),
      )
      return Math.max(...slowest)
    },
  }
}

/** Milliseconds; throws where a row is not under the signed tree. */
async function pageOf(
  { explorer, auditor }: ExploredWorld,
  { q, below }: { q: string; below?: bigint },
): Promise<number> {
  const filter = parseFilter(q)
  const began = performance.now()
  const { rows } = await explorer.page(auditor, { filter, below, limit: PAGE })
  const took = performance.now() - began
  const wrong = rows.find(({ state }) => state !== 'verified')
  if (wrong !== undefined) throw new Error(`entry ${wrong.index} is ${wrong.state}`)
  return took
}

function matrixSpec(entries: string, open: () => Promise<ExploredWorld>): Spec {
  return {
    name: 'governance.matrix',
    what: `p95 of the matrix of a quarter, with the quarter before it, of a log of ${entries} entries`,
    unit: 'ms',
    ...{ target: 1_000, less: true, rounds: 5, warmups: 1 },
    measured: async (timed: Timed) => {
      const { governance, auditor, to } = await open()
      const asked = { from: dayOf(to.getTime() - QUARTER * DAY_MS), to: dayOf(to.getTime()) }
      const took: number[] = []
      await timed(async () => {
        for (let i = 0; i < MATRICES; i++) {
          const began = performance.now()
          const { cells } = await governance.matrix(auditor, asked)
          took.push(performance.now() - began)
          if (!cells.some(({ shared }) => shared > 0)) throw new Error('the matrix is empty')
        }
      })
      return quantile(took, 0.95)
    },
  }
}

function reportSpec(entries: string, open: () => Promise<ExploredWorld>, say: (text: string) => void): Spec {
  return {
    name: 'report.year',
    what: `draft of the transparency report of a year, from what is kept of ${entries} entries`,
    unit: 's',
    ...{ target: 60, less: true, rounds: 2, warmups: 0 },
    measured: async (timed) => {
      const world = await open()
      return (await timed(() => drafted(world, say))).seconds
    },
  }
}

async function drafted(
  { publishing, auditor: { participant, slug, person }, from, to }: ExploredWorld,
  say: (text: string) => void,
): Promise<void> {
  await publishing.begin({ participant, slug, person }, { period: { from: from.getTime(), to: to.getTime() }, k: K })
  let told = 0
  while (await publishing.round()) {
    const { done = 0n, size = 1n } = publishing.drafting() ?? {}
    const part = Number((BigInt(TOLD) * done) / size)
    if (part === told) continue
    told = part
    say(`report.year: ${done} of ${size} entries`)
  }
  const { state, why } = publishing.drafting() ?? {}
  if (state !== 'done') throw new Error(`the report ${state}: ${why}`)
}
