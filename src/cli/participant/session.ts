import { X509Certificate } from 'node:crypto'
import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { promisedEntry } from '../../client/countersigned.ts'
import { requestOver } from '../../client/enroll.ts'
import { VerificationFailed } from '../../client/errors.ts'
import { readIfThere } from '../../client/files.ts'
import { type Home, type Membership, openHome } from '../../client/home.ts'
import { createVerifier, type Verifier } from '../../client/verify.ts'
import { StartRefused } from '../../kernel/errors.ts'
import type { Countersignature } from '../../signals/countersignature.ts'
import { type Output, outputOf } from '../output.ts'

/** One run of a participant's command: its folder, its connection, and how it speaks. */
export interface Session {
  home: Home
  client: Client
  member: Membership
  output: Output
}

/** Part of a leaf's life after which it is renewed. */
const RENEW_AT = 2 / 3

export const homeOf = (command: Command): Home => openHome(String(command.optsWithGlobals()['home']))

/** A file that a command was given. */
export function textOf(file: string): string {
  const text = readIfThere(file)
  if (text === undefined) throw new StartRefused(`${file}: is missing`)
  return text
}

/** Connects as the participant of the home, renewing its certificate when its time has come, and closes in the end. */
export async function withSession<T>(command: Command, work: (session: Session) => Promise<T>): Promise<T> {
  const home = homeOf(command)
  const member = home.membership()
  await renewIfDue(home)
  const client = home.connect()
  try {
    return await work({ home, client, member, output: outputOf(command) })
  } finally {
    client.close()
  }
}

/** Sources' keys as the node lists them; each signature is then checked here. */
export async function verifierFor({ client, home, member }: Session): Promise<Verifier> {
  const { participants } = await client.participants()
  const { node_origin, programme } = member
  return createVerifier(participants, { node_origin, programme, receipt_keys: home.receiptKeys() })
}

async function renewIfDue(home: Home): Promise<void> {
  const { validFromDate, validToDate } = new X509Certificate(home.certificate())
  const due = validFromDate.getTime() + (validToDate.getTime() - validFromDate.getTime()) * RENEW_AT
  if (Date.now() < due) return
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
  { home, member }: Session,
  { submission: event, countersignature }: Told,
  sent: { payload: string; od: string; what: string },
): void {
  if (event === undefined || event === null) return
  if (countersignature === undefined) throw new VerificationFailed('countersignature', 'the node gave none')
  const { payload, od, what } = sent
  const { node_origin } = member
  const rec = promisedEntry({ payload, od, countersignature }, { node_origin, receipt_keys: home.receiptKeys() })
  home.note('events.ndjson', { event, rec, what, at: new Date().toISOString() })
}
