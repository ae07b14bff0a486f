import { utf8 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { sha256, sha256Url } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { commitment, payloadOver } from './commitment.ts'
import { type Audience, disclosuresOf, type NewEvent, partiesOf } from './events.ts'
import type { RecordRow } from './record-store.ts'

/** A disclosure with who may open it; null once erased. */
export type Opened = readonly [audience: Audience, disclosure: string | null]

/** In the place of an audience: a decoy, kept so that auditors see that nothing is behind its digest. */
export const DECOY: Audience = 'decoy'

/** Months since year 0: the epoch whose key encrypts a record's disclosures. */
export const epochOf = (at: Date): number => at.getUTCFullYear() * 12 + at.getUTCMonth()

/** A month's later keys, to which its records moved from one that is destroyed: its number grows by this. */
const GENERATION = 1_000_000

export const monthOf = (epoch: number): number => epoch % GENERATION
export const nextGeneration = (epoch: number): number => epoch + GENERATION

export function epochKey(epoch: number): string {
  const [month, generation] = [monthOf(epoch), Math.floor(epoch / GENERATION)]
  const name = `epoch-${Math.floor(month / 12)}${String((month % 12) + 1).padStart(2, '0')}`
  return generation === 0 ? name : `${name}-${generation + 1}`
}

/** The committed form of an event: payload of digests, C, and the disclosures encrypted under the month's key. */
export function prepareRecord(
  event: NewEvent,
  using: { keys: KeyService; logId: number; salt: () => Uint8Array },
): RecordRow {
  const { kind, event_id, participant_id, at } = event
  const { opened, payload, c } = commit(disclosuresOf(event), using.salt)
  const epoch = epochOf(at)
  return {
    participant_id,
    event_id,
    log_id: using.logId,
    kind,
    at,
    payload,
    c: Buffer.from(c),
    body: using.keys.seal(epochKey(epoch), utf8(JSON.stringify(opened)), bodyAad(event_id, c)),
    epoch,
    parties: partiesOf(event).join(' '),
    after: event.after ?? null,
  }
}

/** Salts, names and values into disclosures, payload and commitment. */
export function commit(
  fields: { disclosures: readonly { audience: Audience; name: string; value: unknown }[]; decoys: number },
  salt: () => Uint8Array,
): { opened: Opened[]; payload: string; c: Uint8Array } {
  const texts = fields.disclosures.map(({ name, value }) => base64Url(JSON.stringify([saltText(salt), name, value])))
  for (let i = 0; i < fields.decoys; i++) texts.push(base64Url(`["${saltText(salt)}","decoy"]`))
  const opened = texts.map((text, i): Opened => [fields.disclosures[i]?.audience ?? DECOY, text])
  const payload = payloadOver(texts.map(sha256Url))
  return { opened, payload, c: commitment(sha256, payload) }
}

/** RFC 9901's form, base64url of JSON [salt, name, value], by Node's own means: a read has sixteen of them, before its first byte. */
const base64Url = (text: string): string => Buffer.from(text).toString('base64url')
function saltText(salt: () => Uint8Array): string {
  const { buffer, byteOffset, length } = salt()
  return Buffer.from(buffer, byteOffset, length).toString('base64url')
}

/** The disclosures of a stored record; throws if the row is not the one the commitment names. */
export function openRecord(
  row: { body: Buffer; epoch: number; c: Buffer },
  event_id: Uuid,
  keys: KeyService,
): Opened[] {
  return JSON.parse(keys.open(epochKey(row.epoch), row.body, bodyAad(event_id, row.c)).toString()) as Opened[]
}

/** Name and value of a disclosure that this node made and sealed; undefined for what is erased, and for a decoy. */
export function saidIn([audience, text]: Opened): readonly [name: string, value: unknown] | undefined {
  if (text === null || audience === DECOY) return undefined
  const [, name, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, unknown]
  return [name, value]
}

/** Undoes `openRecord`: the same row with other disclosures, or under another key. */
export const sealRecord = (
  row: { epoch: number; c: Buffer },
  opened: readonly Opened[],
  { event_id, keys }: { event_id: Uuid; keys: KeyService },
): Buffer => keys.seal(epochKey(row.epoch), utf8(JSON.stringify(opened)), bodyAad(event_id, row.c))

const bodyAad = (id: Uuid, c: Uint8Array): Uint8Array => Buffer.concat([uuidBytes(id), c])
