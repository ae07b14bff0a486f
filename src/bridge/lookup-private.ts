import { verifierFor } from '../client/connected.ts'
import {
  createBucketLookUp,
  openMatch,
  type PrivateLookUp,
  receiptFor,
  type SealedMatch,
} from '../client/private-lookup.ts'
import type { Purpose } from '../feeds/schema.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Lack, type Told, type ToldSealed, type ToldSignal, toldEvent, toldOf, toldRefused } from './answer.ts'
import type { Keyed, LookupOptions } from './lookup.ts'
import { type NodeLink, refusalAtNode } from './node-link.ts'
import type { LookupBody } from './schema.ts'

type Opens = (match: SealedMatch) => Promise<ToldSignal[]>

/**
 * Looks for our keys in sealed audiences. In their mirrors the node hears of what matched, once that is opened; by buckets of prefixes
 * too. A match that cannot be opened is told with what its entry says.
 */
export async function lookUpPrivately(
  options: LookupOptions,
  body: LookupBody,
  keyed: readonly Keyed[],
): Promise<Told[]> {
  const places = placesOf(options, body)
  const { purpose = 'enforcement', open = true } = body
  let opener: Promise<Opens> | undefined
  const opens: Opens = (match) =>
    options.link.ask(async () => {
      opener ??= openerFor(options.link, purpose)
      return (await opener)(match)
    })
  const find = (keys: Exclude<Keyed, Refusal>['keys']): Promise<SealedMatch[]> =>
    body.how === 'private' ? findIn(places, keys) : options.link.ask(() => findIn(places, keys))
  const all: Told[] = []
  for (const one of keyed) {
    if (one instanceof Refusal) all.push(toldRefused(one))
    else all.push(await tellOf(await find(one.keys), { lack: one.lack, opens: open ? opens : undefined }))
  }
  return all
}

/** Where to look, an audience each. */
function placesOf({ link, mirrors, known, clock }: LookupOptions, body: LookupBody): PrivateLookUp[] {
  const { how, audience, purpose = 'enforcement' } = body
  const isWanted = (one: { audience: string | null; label: string }): boolean =>
    audience === undefined || one.audience === audience || one.label === audience
  const places =
    how === 'private'
      ? mirrors
          .sealed()
          .filter(isWanted)
          .map(({ look }) => look)
      : (known()?.feeds ?? [])
          .filter((feed) => feed.mode === 'sealed' && isWanted(feed))
          .flatMap((feed) => (feed.audience === null ? [] : [feed.audience]))
          .map((own) =>
            createBucketLookUp({
              client: link.client(),
              audience: own,
              purpose,
              onRead: link.home.noteRead,
              now: clock,
            }),
          )
  if (places.length > 0) return places
  throw new Refusal('audience-unknown', { detail: 'no sealed audience of ours is so called' })
}

async function findIn(places: readonly PrivateLookUp[], keys: Exclude<Keyed, Refusal>['keys']): Promise<SealedMatch[]> {
  const found: SealedMatch[] = []
  for (const place of places) for (const key of keys) found.push(...(await place.find(key)))
  return found
}

async function tellOf(
  found: readonly SealedMatch[],
  { lack, opens }: { lack: Lack | undefined; opens: Opens | undefined },
): Promise<Told> {
  if (opens === undefined) return sealedTold(found, lack)
  try {
    const matches: ToldSignal[] = []
    for (const match of found) matches.push(...(await opens(match)))
    return toldOf(matches, lack)
  } catch (error) {
    const { code, detail = 'ask again' } = refusalAtNode(error)
    return sealedTold(found, { code, detail })
  }
}

/** Asks for the signal behind a match, checks who signed it, and keeps the receipt. */
async function openerFor(link: NodeLink, purpose: Purpose): Promise<Opens> {
  const { home } = link
  const client = link.client()
  const verifier = await verifierFor({ client, home })
  const { node_origin } = home.membership()
  const node = { node_origin, receipt_keys: home.receiptKeys() }
  return async (match) => {
    const opened = await openMatch({ client, verifier, node }, match, { purpose, onRead: home.noteRead })
    for (const one of opened) {
      const text = await receiptFor(client, one, home)
      if (text !== undefined) home.keepReceipt(one.event.event, text)
    }
    return opened.map((one) => toldEvent(one, match.key.profile))
  }
}

const sealedTold = (found: readonly SealedMatch[], lack: Lack | undefined): Told => ({
  ...toldOf([], lack),
  ...(found.length === 0 ? {} : { outcome: 'match' as const, sealed: found.map(toldSealed) }),
})

const toldSealed = ({ audience, signal, category, handling, expires_at }: SealedMatch): ToldSealed => ({
  ...{ audience, signal, category },
  ...(handling === undefined ? {} : { recommended: handling }),
  expires_at: `${expires_at.toISOString().slice(0, 19)}Z`,
})
