import { type Finding, type Numbered, numbered } from '../../audit/finding.ts'
import type { SignedHead } from '../../audit/head.ts'
import type { Client } from '../../client/client.ts'
import { endedPromises } from '../../client/ended-promises.ts'
import { VerificationFailed } from '../../client/errors.ts'
import { historyIn } from '../../client/former-histories.ts'
import type { HistoryEntry } from '../../client/history.ts'
import type { Home } from '../../client/home.ts'
import { type KeptHistory, openHistory } from '../../client/kept-history.ts'
import { endedAt, keyOfReceipt } from '../../client/next-log.ts'
import { checkPromises, type KeptPromises } from '../../client/promises.ts'
import { checkProofs, type OwnEntry, obtainedBy } from '../../client/readers.ts'
import { equal } from '../../kernel/bytes.ts'
import type { VerifierKey } from '../../provenance/note.ts'
import type { ReadTile } from '../../provenance/proof.ts'
import { TILE_WIDTH } from '../../provenance/tile.ts'

/** The checks of the records that a participant can do for its own, by what its folder holds. */
const CHECKS = { 5: 'entries', 6: 'disclosures', 8: 'chains', 14: 'reads' } as const
type Check = keyof typeof CHECKS
const NUMBERS = [5, 6, 8, 14] as const

export interface OwnAudit {
  home: Home
  /** Our name in the log. */
  me: string
  key: VerifierKey
  now: Date
  /** The node, where it is asked for what the folder does not have yet. */
  client?: Client | undefined
  /** It gave a receipt that does not verify, or is of something else than was promised. */
  refused?: boolean | undefined
}

/** Which check a step of the verification of a chain is of. */
const CHECK_OF: Readonly<Record<string, Check>> = {
  'chain entry': 5,
  'chain promise': 5,
  receipt: 5,
  'chain line': 6,
  'chain record': 6,
  'chain readers': 14,
  proof: 14,
}

/** Checks 5, 6, 8 and 14 over the links that the folder holds of the log under audit, below its signed head. */
export async function auditOwn(own: OwnAudit, head: SignedHead, tile: ReadTile): Promise<Finding[]> {
  const told = faultsOf()
  const kept = openHistory(own.home.dir, { party: own.me, origin: head.origin })
  const { client, home } = own
  if (client !== undefined) await told.watch(async () => void (await kept.extend(client, await home.advance(client))))
  if (kept.place.seq === 0n && told.none())
    return NUMBERS.map((n) => numbered(n, CHECKS[n]).unknown('the folder has no link of this log: run aldis history'))
  const links = await told.watch(() => readLinks(own, kept, { head, tile }))
  const promises = links && (await told.watch(() => promisesMet(own, kept)))
  const proofs = links && (await told.watch(async () => checkProofs(own.home.dir, proofsBy(own, links.ours))))
  return NUMBERS.map((n) => {
    const check = numbered(n, CHECKS[n])
    const fault = told.of(n)
    if (fault !== undefined) return check.fail(fault)
    if (links === undefined || promises === undefined || proofs === undefined)
      return check.unknown('another check failed before all of our links were read')
    return finding(check, n, { links, promises, proofs, upTo: kept.place.size, head })
  })
}

interface Links {
  n: bigint
  /** Batches of reads that gave out something of ours. */
  batches: number
  /** Of the links, by their events. */
  ours: Map<string, OwnEntry>
}

/** Every link of the folder, verified from the first, and each that the head covers at its index of the verified tree. */
async function readLinks(
  { me }: OwnAudit,
  kept: KeptHistory,
  { head, tile }: { head: SignedHead; tile: ReadTile },
): Promise<Links> {
  const links: Links = { n: 0n, batches: 0, ours: new Map() }
  for await (const entry of kept.entries()) {
    if (entry.index >= head.size) break
    await expectInTree(entry, tile)
    links.n = entry.seq
    links.ours.set(entry.event, { index: entry.index, c: entry.c })
    if (obtainedBy(entry, me) !== undefined) links.batches += 1
  }
  return links
}

async function expectInTree({ seq, index, leaf }: HistoryEntry, tile: ReadTile): Promise<void> {
  const [width, at] = [BigInt(TILE_WIDTH), 32 * Number(index % BigInt(TILE_WIDTH))]
  const data = await tile(0, index / width, TILE_WIDTH)
  if (!equal(data.subarray(at, at + 32), leaf))
    throw new VerificationFailed('chain entry', `link ${seq} is of another entry than the log has at ${index}`)
}

async function promisesMet({ home, key, now, refused, client }: OwnAudit, kept: KeptHistory): Promise<KeptPromises> {
  if (refused === true) throw new VerificationFailed('receipt', 'a receipt that was fetched does not verify')
  return checkPromises(home.dir, {
    ...{ key, now, entries: kept.entries(), below: kept.place.size, unasked: client === undefined },
    keyOf: (receipt) => keyOfReceipt(home, receipt),
    endedAt: (log) => endedAt(home, log),
    chainIn: (log) => historyIn(home, log),
    endedOf: (overdue) => endedPromises(home, overdue),
  })
}

const proofsBy = ({ home, me, key }: OwnAudit, ours: ReadonlyMap<string, OwnEntry>) => ({
  ...{ me, key, ours },
  keyOf: (receipt: string) => keyOfReceipt(home, receipt),
})

interface Found {
  links: Links
  promises: KeptPromises
  proofs: number
  upTo: bigint
  head: SignedHead
}

function finding(check: Numbered, n: Check, { links, promises, proofs, upTo, head }: Found): Finding {
  const { submissions, reads, receipts, waiting, ended, later } = promises
  if (n === 6) return check.pass(`what is opened to us of ${links.n} records is in them, each field once`)
  if (n === 8) {
    const says = `${links.n} links of ours, gapless from the first`
    return upTo >= head.size
      ? check.pass(says)
      : check.unknown(`${says}, up to entry ${upTo}; of the ${head.size - upTo} behind it run aldis history first`)
  }
  if (waiting.length + later > 0) return check.unknown(lackingSays(waiting.length, later))
  const over = ended.filter((name) => name.startsWith('read-') === (n === 14)).length
  const apart = over === 0 ? '' : `; ${over} promises cannot be held any more`
  return n === 5
    ? check.pass(
        `${links.n} links of ours are entries of the tree, and ${receipts} receipts are of them; ${submissions} submissions have theirs${apart}`,
      )
    : check.pass(
        `${links.batches} batches say who obtained what of ours; ${reads} answers and ${proofs} proofs are in theirs${apart}`,
      )
}

const lackingSays = (waiting: number, later: number): string =>
  [
    ...(waiting > 0 ? [`${waiting} of our promises have no receipt yet: run aldis receipts`] : []),
    ...(later > 0 ? [`${later} of our receipts are behind the links that we have: run aldis history`] : []),
  ].join('; ')

/** The first that each check has against the log. */
function faultsOf() {
  const faults = new Map<Check, string>()
  return {
    none: () => faults.size === 0,
    of: (check: Check) => faults.get(check),
    /** What does not verify is a fault of its check; everything else is thrown on. */
    async watch<T>(work: () => Promise<T>): Promise<T | undefined> {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof VerificationFailed)) throw error
        const isRead = /\bread-[0-9a-f-]{36}/.test(error.message)
        const check = isRead ? 14 : (CHECK_OF[error.step] ?? 8)
        if (!faults.has(check)) faults.set(check, error.message)
        return undefined
      }
    },
  }
}
