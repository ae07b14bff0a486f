import { utf8 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { sha256, sha256Url } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { commitment, payloadOver } from './commitment.ts'
import { type Audience, type AudienceField, disclosuresOf, type NewEvent, partiesOf } from './events.ts'
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

/**
 * The committed form of an event: payload of digests, C, and the disclosures encrypted under the month's key. `sealed` is
 * when, where that is much later than the event: the key of its own month may be gone by then.
 */
export function prepareRecord(
  event: NewEvent,
  using: { keys: KeyService; logId: number; salt: () => string; sealed?: Date },
): RecordRow {
  const { kind, event_id, participant_id, at } = event
  const fields = disclosuresOf(event)
  const { texts, payload, c } = commit(fields, using.salt)
  const epoch = epochOf(using.sealed ?? at)
  return {
    participant_id,
    event_id,
    log_id: using.logId,
    kind,
    at,
    payload,
    c: Buffer.from(c),
    body: using.keys.seal(epochKey(epoch), utf8(JSON.stringify(openedOf(fields, texts))), bodyAad(event_id, c)),
    epoch,
    parties: partiesOf(event).join(' '),
    after: event.after ?? null,
  }
}

/** What is committed: fields in their order, and how many decoys stand behind them. */
export interface Committable {
  disclosures: readonly AudienceField[]
  decoys: number
}

export interface Committed {
  /** Of each field name and value as JSON, a comma between them. */
  said: string[]
  texts: string[]
  payload: string
  c: Uint8Array
}

/** Salts, names and values into disclosures and decoys (base64url of JSON, as RFC 9901), payload and commitment. */
export function commit(
  { disclosures, decoys }: Committable,
  /** Of 32 bytes, base64url. */
  salt: () => string,
  /** Digests of decoys that were made before. */
  made: readonly string[] = [],
): Committed {
  const said = disclosures.map(({ name, value }) => `${JSON.stringify(name)},${JSON.stringify(value)}`)
  const texts = said.map((one) => base64Url(`${begun(salt())}",${one}]`))
  if (decoys > 0) texts.push(...decoyTexts(Array.from({ length: decoys }, salt)))
  const payload = payloadOver([...texts.map(sha256Url), ...made])
  return { said, texts, payload, c: commitment(sha256, payload) }
}

/** Characters of a salt of 32 bytes. */
const SALT = 43
/** Characters of what `begun` answers: of 45 bytes, which end where a text of base64url may be cut. */
const BEGUN = 60

function begun(salt: string): string {
  if (salt.length !== SALT) throw new TypeError('a salt is not of 32 bytes')
  return `["${salt}`
}

/** The disclosures of decoys with these salts: what is before the end of each salt is written at once. */
export function decoyTexts(salts: readonly string[]): string[] {
  const all = base64Url(salts.map(begun).join(''))
  return salts.map((_, i) => all.slice(BEGUN * i, BEGUN * (i + 1)) + DECOY_END)
}

/** What was committed, with who may open each. */
export const openedOf = ({ disclosures }: Committable, texts: readonly string[]): Opened[] =>
  texts.map((text, i): Opened => [disclosures[i]?.audience ?? DECOY, text])

/** By Node's own means: records are made before the first byte of an answer leaves. */
const base64Url = (text: string): string => Buffer.from(text).toString('base64url')

const DECOY_END = base64Url('","decoy"]')

/** The disclosures of a stored record; throws if the row is not the one the commitment names. */
export function openRecord(
  row: { body: Buffer; epoch: number; c: Buffer },
  event_id: Uuid,
  keys: KeyService,
): Opened[] {
  return JSON.parse(keys.open(epochKey(row.epoch), row.body, bodyAad(event_id, row.c)).toString()) as Opened[]
}

/** The same; undefined where the month's key is lost. */
export function recordUnlessLost(
  row: { body: Buffer; epoch: number; c: Buffer },
  event_id: Uuid,
  keys: KeyService,
): Opened[] | undefined {
  const text = openUnlessLost(keys, { epoch: row.epoch, sealed: row.body }, bodyAad(event_id, row.c))
  return text === undefined ? undefined : (JSON.parse(text.toString()) as Opened[])
}

/** What was sealed under a month's key; undefined where there is none of its name, or another, made beside a restored database. */
export function openUnlessLost(
  keys: KeyService,
  { epoch, sealed }: { epoch: number; sealed: Buffer },
  aad: Uint8Array,
): Buffer | undefined {
  if (!keys.has(epochKey(epoch))) return undefined
  try {
    return keys.open(epochKey(epoch), sealed, aad)
  } catch {
    return undefined
  }
}

/** Name and value of a disclosure that this node made and sealed; undefined for what is erased, and for a decoy. */
export function saidIn([audience, text]: Opened): readonly [name: string, value: unknown] | undefined {
  if (text === null || audience === DECOY) return undefined
  const [, name, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, unknown]
  return [name, value]
}

/** Values by name, of what is not erased. */
export const openedFields = (opened: readonly Opened[]): Map<string, unknown> =>
  new Map(
    opened.flatMap((one) => {
      const said = saidIn(one)
      return said === undefined ? [] : [said]
    }),
  )

/** Undoes `openRecord`: the same row with other disclosures, or under another key. */
export const sealRecord = (
  row: { epoch: number; c: Buffer },
  opened: readonly Opened[],
  { event_id, keys }: { event_id: Uuid; keys: KeyService },
): Buffer => keys.seal(epochKey(row.epoch), utf8(JSON.stringify(opened)), bodyAad(event_id, row.c))

const bodyAad = (id: Uuid, c: Uint8Array): Uint8Array => Buffer.concat([uuidBytes(id), c])
