import { join } from 'node:path'
import { fromBase64Url } from '../kernel/bytes.ts'
import { writeDurably } from '../kernel/durable.ts'
import type { OprfKey } from '../matching/schema.ts'
import type { Client } from './client.ts'
import { VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import type { Home } from './home.ts'
import { keyOfReceipt, policyOfReceipt } from './next-log.ts'
import { type EpochKey, isSum } from './oprf-work.ts'
import { checkReceipt } from './verify.ts'

/** An entry is in a checkpoint within seconds. */
const PUBLISHED_MS = 10_000

type Share = OprfKey['shares'][number]

/** The key of an epoch as the log told it to every member. */
export interface PinnedKey {
  kid: string
  key: EpochKey
  shares: readonly Share[]
}

type Told = Pick<OprfKey, 'kid' | 'public_key' | 'shares'>

/**
 * The key of an epoch, pinned at first use: what the node says must stand in the entry that published it, under the log's
 * pinned key. From then on another key for the same epoch is `VerificationFailed`.
 */
export async function pinnedOprfKey(home: Home, client: Pick<Client, 'receipt'>, said: OprfKey): Promise<PinnedKey> {
  const { kid } = said
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(kid)) throw new VerificationFailed('OPRF key', 'its name is malformed')
  const path = join(home.dir, 'hash-keys', `${kid}.oprf.json`)
  const kept = readIfThere(path)
  const told: Told = { kid, public_key: said.public_key, shares: said.shares }
  if (kept === undefined) {
    const key = keyOf(told)
    await expectPublished(home, client, said)
    writeDurably(path, `${JSON.stringify(told, undefined, 2)}\n`)
    return { kid, key, shares: said.shares }
  }
  if (textOf(JSON.parse(kept) as Told) !== textOf(told))
    throw new VerificationFailed('OPRF key', `the node names another key for the epoch ${kid} than the pinned one`)
  return { kid, key: keyOf(told), shares: said.shares }
}

/** The entry of the log says the same as the node. */
async function expectPublished(home: Home, client: Pick<Client, 'receipt'>, said: OprfKey): Promise<void> {
  const text = await client.receipt(said.event, {}, PUBLISHED_MS)
  if (text === undefined) throw new VerificationFailed('OPRF key', 'its entry is not published yet; try again')
  const vkey = keyOfReceipt(home, text)
  const verified = checkReceipt(text, vkey, policyOfReceipt(home, vkey))
  const fields = new Map(verified.fields.map(({ name, value }) => [name, value]))
  const entry = { kid: fields.get('kid'), public_key: fields.get('public_key'), shares: fields.get('shares') } as Told
  const same = fields.get('type') === 'hash_profile.published' && fields.get('suite') === said.suite
  if (!verified.passed || !same || textOf(entry) !== textOf(said))
    throw new VerificationFailed('OPRF key', `the log does not say of the epoch ${said.kid} what the node says`)
}

/** In one order of members, whoever wrote them. */
const textOf = ({ kid, public_key, shares }: Told): string =>
  JSON.stringify([
    ...[kid, public_key],
    ...(Array.isArray(shares) ? shares : []).map((share) => [share.index, share.public_key, share.origin, share.pin]),
  ])

function keyOf({ public_key, shares }: Told): EpochKey {
  const key = { public_key: elementOf(public_key), parts: shares.map((share) => elementOf(share.public_key)) }
  const dense = shares.every(({ index }, i) => index === i + 1)
  if (!dense || !isSum(key)) throw new VerificationFailed('OPRF key', 'its parts do not add up to it')
  return key
}

function elementOf(text: string): Uint8Array {
  const bytes = fromBase64Url(text)
  if (bytes === undefined) throw new VerificationFailed('OPRF key', 'it is not base64url')
  return bytes
}
