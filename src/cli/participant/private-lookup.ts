import { join } from 'node:path'
import { verifierFor } from '../../client/connected.ts'
import type { LookupKey } from '../../client/derive.ts'
import {
  createBucketLookUp,
  type Opened,
  openMatch,
  openSealedMirror,
  type PrivateLookUp,
  receiptFor,
  type SealedMatch,
} from '../../client/private-lookup.ts'
import type { FeedList, Purpose } from '../../feeds/schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { EXIT } from '../exit.ts'
import { readRaw } from './raw-file.ts'
import type { Session } from './session.ts'
import { keyedLines, lookupTokens } from './tokens.ts'

interface Asked {
  file: string
  purpose: Purpose
  audience: string | undefined
  /** In the mirror of `aldis sync`, or by buckets of the node. */
  how: 'mirror' | 'buckets'
}

/** Which of our keys stand in sealed audiences; only what was found is asked for, one signal at a time. */
export async function lookUpPrivately(session: Session, asked: Asked): Promise<void> {
  const { output } = session
  const makers = await lookupTokens(session)
  const places = await placesOf(session, asked)
  const open = await openerOf(session, asked.purpose)
  const found = { asked: 0, matches: 0, refused: 0 }
  for await (const derived of keyedLines(readRaw(asked.file), makers)) {
    if (derived.outcome === 'refused') {
      found.refused += 1
      const { line } = derived
      output.data({ line, outcome: 'refused', reason: derived.reason }, `line ${line}  not asked: ${derived.reason}`)
      continue
    }
    found.asked += 1
    for (const match of await matchesOf(places, derived.keys)) found.matches += await open(derived.line, match)
  }
  for (const maker of makers) await maker.close()
  const told = asked.how === 'mirror' ? 'the node saw what matched' : 'the node saw prefixes and what matched'
  output.say(`${found.asked} asked, ${found.matches} matches, each opened on record; ${told}, and no key`)
  if (found.refused > 0) process.exitCode = EXIT.someRefused
}

/** Where to look, an audience each. */
async function placesOf({ client, home }: Session, { how, purpose, audience }: Asked): Promise<PrivateLookUp[]> {
  const feeds = (await client.feeds()).feeds.filter((feed) => isWanted(feed, audience))
  if (feeds.length === 0)
    throw new Refusal('audience-unknown', { detail: 'no sealed audience of this name; aldis audiences lists ours' })
  return feeds.map((feed) => {
    const own = feed.audience as Uuid
    if (how === 'mirror') return openSealedMirror(join(home.dir, 'feeds'), { feed: feed.feed, audience: own })
    return createBucketLookUp({ client, audience: own, purpose, onRead: home.noteRead })
  })
}

const isWanted = ({ mode, audience, label }: FeedList['feeds'][number], wanted: string | undefined): boolean =>
  mode === 'sealed' && (wanted === undefined || audience === wanted || label === wanted)

async function matchesOf(places: readonly PrivateLookUp[], keys: readonly LookupKey[]): Promise<SealedMatch[]> {
  const found: SealedMatch[] = []
  for (const place of places) for (const key of keys) found.push(...(await place.find(key)))
  return found
}

/** Opens a match and tells of it; answers how many signals were behind it. */
async function openerOf(
  session: Session,
  purpose: Purpose,
): Promise<(line: number, match: SealedMatch) => Promise<number>> {
  const { client, home, member } = session
  const verifier = await verifierFor(session)
  const node = { node_origin: member.node_origin, receipt_keys: home.receiptKeys() }
  return async (line, match) => {
    const opened = await openMatch({ client, verifier, node }, match, { purpose, onRead: home.noteRead })
    for (const one of opened) await tell(session, line, one)
    return opened.length
  }
}

async function tell({ client, home, output }: Session, line: number, opened: Opened): Promise<void> {
  const { event, item, authority } = opened
  const text = await receiptFor(client, opened, home)
  const receipt = text === undefined ? undefined : home.keepReceipt(event.event, text)
  const { source, signal, revision } = event
  const what = ['type', 'category', 'severity', 'handling'].map((name) => String(item[name])).join('  ')
  output.data(
    { line, outcome: 'match', source, signal, revision, authority, item, receipt },
    `line ${line}  match  ${what}  signed by ${source}`,
  )
}
