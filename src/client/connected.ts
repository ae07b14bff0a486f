import { X509Certificate } from 'node:crypto'
import type { Countersignature } from '../signals/countersignature.ts'
import type { Client } from './client.ts'
import { type OwnSignature, promisedEntry } from './countersigned.ts'
import { VerificationFailed } from './errors.ts'
import type { Home } from './home.ts'
import { createVerifier, type Verifier } from './verify.ts'

/** A participant's folder with a connection to its node. */
export interface Connected {
  home: Home
  client: Client
}

/** Part of a leaf's life after which it is renewed. */
const RENEW_AT = 2 / 3

/** Sources' keys as the node lists them, each under its own thumbprint; each signature is then checked here. */
export async function verifierFor({ client, home }: Connected): Promise<Verifier> {
  const { participants } = await client.participants()
  const { node_origin, programme } = home.membership()
  return createVerifier(participants, { node_origin, programme, receipt_keys: home.receiptKeys() })
}

/** The same by what the node lists now; undefined where it lists no source and no key that is new. */
export async function verifierAnew(connected: Connected, { by }: Verifier): Promise<Verifier | undefined> {
  const anew = await verifierFor(connected)
  const known = new Set(namesIn(by.sources))
  return namesIn(anew.by.sources).every((name) => known.has(name)) ? undefined : anew
}

const namesIn = (sources: Verifier['by']['sources']): string[] =>
  sources.flatMap(({ slug, signing_keys }) => [slug, ...signing_keys.map(({ kid }) => `${slug} ${kid}`)])

/** Renews the certificate of the home once two thirds of its life are over. */
export async function renewIfDue(home: Home): Promise<void> {
  const { validFromDate, validToDate } = new X509Certificate(home.certificate())
  const due = validFromDate.getTime() + (validToDate.getTime() - validFromDate.getTime()) * RENEW_AT
  // Certificates live by the time of this machine, whatever clock the caller goes by.
  if (Date.now() < due) return
  // The maker of requests is much to read, and needed a few times a year.
  const { requestOver } = await import('./enroll.ts')
  const client = home.connect()
  try {
    const { certificate } = await client.renew(await requestOver(home.tlsKey()))
    home.renewed(certificate)
  } finally {
    client.close()
  }
}

interface Told {
  submission?: string | null | undefined
  countersignature?: Countersignature | undefined
}

/**
 * Notes a submission that the node took, with the entry that it promised its log would hold, so that the receipt can be
 * held against it. Throws `VerificationFailed` where the promise is not the node's.
 */
export function noteEvent(
  { home }: Pick<Connected, 'home'>,
  { submission: event, countersignature }: Told,
  sent: OwnSignature & { what: string },
): void {
  if (event === undefined || event === null) return
  if (countersignature === undefined) throw new VerificationFailed('countersignature', 'the node gave none')
  const { payload, od, iat, what } = sent
  const { node_origin } = home.membership()
  const rec = promisedEntry({ payload, od, countersignature }, { node_origin, receipt_keys: home.receiptKeys() })
  // An answer can be asked for again later: what is promised in it was promised no sooner than this was signed.
  const signed = iat === undefined ? {} : { signed_at: new Date(iat * 1_000).toISOString() }
  home.note('events.ndjson', { event, rec, what, at: new Date().toISOString(), ...signed })
}
