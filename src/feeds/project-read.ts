import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { LoggedEvent, ProvenanceService } from '../provenance/service.ts'
import type { FeedDirectory } from './directory.ts'
import { auditPaths, submissionBody } from './entry.ts'
import { type Act, heardIn } from './heard.ts'
import * as store from './origin-store.ts'
import {
  type Planned,
  planAttested,
  planEnd,
  planErased,
  planHeard,
  planHeld,
  planItem,
  planReleased,
  type Told,
} from './plan.ts'

/** Log entries taken in one round. */
const ENTRIES_AT_ONCE = 256
/** Items after which a round takes no further entry. */
const ITEMS_AT_ONCE = 8_000

export interface ReadingOptions {
  db: Db
  logId: number
  provenance: Pick<ProvenanceService, 'entriesFrom'>
  directory: FeedDirectory
}

/** A submission as feeds cite it. */
export interface Proof {
  submission_id: Uuid
  body: string
}

const SIGNAL_KINDS: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])

/** What entries of the log tell, before it has a place in any feed. */
export interface Read {
  planned: Planned[]
  proofs: Map<Uuid, Proof>
  /** Entries of the log. */
  taken: number
  /** As much as a round takes: more may be there. */
  full: boolean
}

/** The entries from a place on, as events of the feeds that they reach. */
export async function readEntries(options: ReadingOptions, from: bigint): Promise<Read> {
  const { db, provenance, directory } = options
  const entries = await provenance.entriesFrom(db, { logId: options.logId, from, limit: ENTRIES_AT_ONCE })
  // An entry may tell of an audience that another process or thread has just made.
  if (entries.length > 0) await directory.refresh()
  const taken = await takenOf(options, entries)
  const found = await submissionsIn(options, taken)
  const planned: Planned[] = []
  const proofs = new Map<Uuid, Proof>()
  for (const entry of taken) {
    if (isSaid(entry)) {
      planned.push(...planSaid(options, entry, { found, proofs }))
    } else if (entry.kind === 'signal.expired') {
      const ended = await store.expiredBy(db, entry.participant_id, entry.event_id)
      planned.push(...ended.map((one) => planEnd(toldBy(directory, entry), one, directory.feedOf)))
    } else if (entry.kind === 'erasure') {
      const erased = await store.erasedBy(db, entry.participant_id, entry.event_id)
      planned.push(...erased.flatMap((one) => planErased(toldBy(directory, entry), one, directory.feedOf)))
    } else {
      planned.push(...(await planOther(options, entry, proofs)))
    }
  }
  const full = taken.length < entries.length || entries.length === ENTRIES_AT_ONCE
  return { planned, proofs, taken: taken.length, full }
}

/** What a source said of its signals: signed, with the proof of it, or on the word of a person. */
function planSaid(
  { directory }: ReadingOptions,
  entry: LoggedEvent,
  { found, proofs }: { found: Submitted; proofs: Map<Uuid, Proof> },
): Planned[] {
  const told = toldBy(directory, entry)
  const attested = found.attested.get(entry.event_id)
  if (attested !== undefined) return [planAttested(told, attested, directory.feedOf)]
  const submission = found.signed.get(entry.event_id)
  if (submission === undefined) throw new Error(`log entry ${entry.idx} has no submission`)
  proofs.set(entry.event_id, proofOf(told, submission))
  return planSubmission(told, submission, directory.feedOf)
}

/** Holds and their ends, and what participants tell each other; nothing of other kinds. */
async function planOther(
  { db, directory }: ReadingOptions,
  entry: LoggedEvent,
  proofs: Map<Uuid, Proof>,
): Promise<Planned[]> {
  const { participant_id, event_id, kind } = entry
  // What is the programme's own is told by no participant.
  if (!HOLDS.has(kind) && !ACTS.has(kind)) return []
  const told = toldBy(directory, entry)
  if (kind === 'signal.held') {
    const held = there(entry, await store.heldBy(db, participant_id, event_id))
    return [planHeld(told, { ...held, erased: held.salt === null }, directory.feedOf)]
  }
  if (kind === 'signal.released') {
    const released = there(entry, await store.releasedBy(db, participant_id, event_id))
    const [submission] = await store.submissionsOf(db, [{ participant_id, event_id: released.submission_id }])
    const { leaves } = there(entry, submission)
    const path = auditPaths(sha256, leavesOf(leaves))(released.item_index)
    proofs.set(event_id, proofOf(told, { submission: there(entry, submission), items: [], formerOf: () => undefined }))
    return [planReleased(told, { ...released, path, former: undefined }, directory.feedOf)]
  }
  const heard = ACTS.has(kind) ? heardIn(kind, there(entry, await actIn(db, entry))) : undefined
  if (heard === undefined) return []
  if (heard.proof !== undefined) proofs.set(event_id, { submission_id: event_id, body: heard.proof(told) })
  return [planHeard(told, heard, directory.inboxOf)]
}

const HOLDS: ReadonlySet<string> = new Set(['signal.held', 'signal.released'])
const ACTS: ReadonlySet<string> = new Set(['feedback.given', 'dispute.opened', 'dispute.closed', 'question.answered'])

/** What a participant said to another in an entry. */
async function actIn(db: Db, { kind, participant_id, event_id }: LoggedEvent): Promise<Act | undefined> {
  if (kind === 'feedback.given') return store.feedbackOf(db, participant_id, event_id)
  if (kind === 'dispute.opened') return store.disputeOpenedBy(db, participant_id, event_id)
  if (kind === 'question.answered') return store.questionAnsweredBy(db, participant_id, event_id)
  return store.disputeClosedBy(db, participant_id, event_id)
}

function there<T>({ idx }: LoggedEvent, row: T | undefined): T {
  if (row === undefined) throw new Error(`log entry ${idx} has no row`)
  return row
}

/** As many of the entries as have about as many items as a round takes. */
async function takenOf({ db }: ReadingOptions, entries: readonly LoggedEvent[]): Promise<readonly LoggedEvent[]> {
  const told = await store.sizesOf(db, entries.filter(isSaid))
  const sizes = new Map(told.map(({ submission_id, n }) => [submission_id, n]))
  let items = 0
  const end = entries.findIndex(({ event_id }) => {
    const full = items >= ITEMS_AT_ONCE
    items += sizes.get(event_id) ?? 0
    return full
  })
  return end === -1 ? entries : entries.slice(0, end)
}

/** A submission with its accepted items in their order, and the texts that revisions and withdrawals follow. */
interface Found {
  submission: Awaited<ReturnType<typeof store.submissionsOf>>[number]
  items: readonly store.ProjectedItem[]
  formerOf(item: Revision): string | undefined
}

/** What sources signed, and the ends that their people decided, each by its event. */
interface Submitted {
  signed: Map<Uuid, Found>
  attested: Map<Uuid, store.ProjectedItem & { former: string | undefined }>
}

async function submissionsIn({ db }: ReadingOptions, entries: readonly LoggedEvent[]): Promise<Submitted> {
  const found: Submitted = { signed: new Map(), attested: new Map() }
  const said = entries.filter(isSaid)
  const submissions = new Map((await store.submissionsOf(db, said)).map((one) => [one.submission_id, one]))
  for (const [source, own] of Map.groupBy(said, ({ participant_id }) => participant_id)) {
    const ids = own.map(({ event_id }) => event_id)
    const all = await store.itemsOf(db, source, ids)
    const formerOf = await formerItems(db, source, all)
    const byEvent = Map.groupBy(all, ({ submission_id }) => submission_id)
    for (const id of ids) {
      const [submission, items = []] = [submissions.get(id), byEvent.get(id)]
      const [first] = items
      if (submission !== undefined) found.signed.set(id, { submission, items, formerOf })
      else if (first !== undefined) found.attested.set(id, { ...first, former: formerOf(first) })
    }
  }
  return found
}

/** Whether a source said something of its signals. */
const isSaid = ({ kind }: LoggedEvent): boolean => SIGNAL_KINDS.has(kind)

function proofOf({ source }: Told, { submission }: Found): Proof {
  const { submission_id, n, jws, response } = submission
  const { countersignature } = JSON.parse(response) as { countersignature: object }
  const body = submissionBody({ submission_id, source, n, jws, countersignature: JSON.stringify(countersignature) })
  return { submission_id, body }
}

function planSubmission(
  told: Told,
  { submission, items, formerOf }: Found,
  feedOf: FeedDirectory['feedOf'],
): Planned[] {
  const path = auditPaths(sha256, leavesOf(submission.leaves))
  return items.flatMap((item) =>
    planItem(told, { ...item, path: path(item.item_index), former: formerOf(item) }, feedOf),
  )
}

type Revision = Pick<store.ProjectedItem, 'signal_id' | 'revision'>

/** The texts that revisions and withdrawals follow. */
async function formerItems(
  db: Db,
  participant_id: Uuid,
  items: readonly Revision[],
): Promise<(item: Revision) => string | undefined> {
  const later = items.filter(({ revision }) => revision > 1)
  const rows = later.length === 0 ? [] : await store.formerItems(db, participant_id, later)
  const texts = new Map(rows.map(({ signal_id, revision, item }) => [`${signal_id}/${revision}`, item]))
  return ({ signal_id, revision }) => texts.get(`${signal_id}/${revision - 1}`)
}

const toldBy = (directory: FeedDirectory, entry: LoggedEvent): Told => ({
  ...entry,
  // Feeds order the entries of all logs.
  idx: entry.place,
  source: directory.slugOf(entry.participant_id),
})

const leavesOf = (packed: Buffer): Buffer[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
