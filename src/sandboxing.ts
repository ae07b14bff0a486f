import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { mirroredSignals, signAct, theSignal } from './client/acts.ts'
import type { Client } from './client/client.ts'
import { renewIfDue, verifierFor } from './client/connected.ts'
import { daysOf, TAXONOMY } from './client/defaults.ts'
import { derive } from './client/derive.ts'
import { enroll, makeTlsKey } from './client/enroll.ts'
import { AldisError } from './client/errors.ts'
import { type Home, openHome } from './client/home.ts'
import { syncFeeds } from './client/mirror.ts'
import { openSigningKey } from './client/signing-key.ts'
import { type ErrorCode, isErrorCode, Refusal, StartRefused } from './kernel/errors.ts'
import { newId, type Uuid } from './kernel/ids.ts'
import type { ActionName, PayloadOf } from './participants/action.ts'
import type { Scope } from './participants/schema.ts'
import type { Parts } from './parts.ts'
import type { SandboxPeer } from './sandbox/routes.ts'
import type { SandboxAsk, SandboxDone } from './sandbox/schema.ts'
import { type SubmissionType, signSubmission } from './signals/submission.ts'

/** The simulated participant; a slug like any other. */
const SLUG = 'sandbox-peer'
const SCOPES: readonly Scope[] = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'feedback:write'] as const),
  'provenance:read',
]

export interface Sandbox extends SandboxPeer {
  /** Where the node listens, once it does. */
  open(at: { partner: string; enrol: string }): void
  close(): void
}

/**
 * A participant that a sandbox has of its own: admitted, enrolled and connected as any other, so that what it does takes the very
 * paths that others take. The persons who decide for it are those of a programme that is thrown away.
 */
export function createSandbox(parts: Parts): Sandbox {
  const late: { at?: Places; connected?: Connected & { certificate: string } } = {}
  let turn: Promise<unknown> = Promise.resolve()
  const connected = async (): Promise<Connected> => {
    if (late.at === undefined) throw new Refusal('busy', { retryAfter: 1 })
    const home = await admitted(parts, late.at)
    const certificate = home.certificate()
    if (late.connected?.certificate === certificate) return late.connected
    late.connected?.client.close()
    late.connected = { home, certificate, client: home.connect() }
    return late.connected
  }
  return {
    open: (at) => {
      late.at = at
    },
    close: () => void turn.then(() => late.connected?.client.close()),
    // One after the other: its mirror has one writer.
    ask: (by, asked) => {
      const done = turn.then(async () => act(parts, await connected(), { by, asked })).catch(refusedAs)
      turn = done.catch(() => {})
      return done
    },
  }
}

/** What the simulated participant was refused, its asker is. */
function refusedAs(error: unknown): never {
  if (error instanceof AldisError && isErrorCode(error.code))
    throw new Refusal(error.code, { detail: 'of the simulated participant' })
  throw error
}

interface Connected {
  home: Home
  client: Client
}

interface Places {
  partner: string
  enrol: string
}

/** Its home, with a certificate that is good now. */
async function admitted(parts: Parts, at: Places): Promise<Home> {
  const home = openHome(join(parts.config.dataDir, 'sandbox', SLUG))
  if (parts.authority.participantBySlug(SLUG) === undefined)
    await decide(parts, 'participant.admit', { slug: SLUG, name: 'Simulated participant', kind: 'platform' })
  if (isEnrolled(parts, home)) await renewIfDue(home)
  else await enrolAt(parts, home, at)
  return home
}

/** Whether what an enrolment gave is there as a whole, which a kill may prevent, and still opens the node. */
function isEnrolled({ authority, clock }: Parts, home: Home): boolean {
  try {
    home.membership()
    const leaf = new X509Certificate(home.certificate())
    const pin = authority.find(createHash('sha256').update(derOf(leaf)).digest('hex'))
    if (pin !== undefined && pin.not_after <= clock()) return false
    // Certificates live by the time of this machine.
    return leaf.validToDate.getTime() > Date.now() && leaf.checkPrivateKey(createPrivateKey(home.tlsKey()))
  } catch (error) {
    if (error instanceof StartRefused) return false
    throw error
  }
}

const derOf = ({ publicKey }: X509Certificate): Buffer => publicKey.export({ type: 'spki', format: 'der' })

async function enrolAt(parts: Parts, home: Home, at: Places): Promise<void> {
  // Of its own: two pins of one label are all that may live, and those before are lost.
  const label = `sandbox-${parts.clock().getTime()}`
  const opened = await decide(parts, 'credential.enrol', { participant: SLUG, label, scopes: [...SCOPES] })
  const { code } = opened as { code: string }
  // On the disk before the node has it: another one would wait for its confirmation.
  const signing = home.signingKeyToEnrol()
  const tls = await makeTlsKey()
  const result = await enroll({ origin: at.enrol, code, tls, signing: openSigningKey(signing) })
  const { participant, uri, programme, kid, certificate, ca, node } = result
  const { node_origin, slug } = programme
  const membership = { participant, uri, kid, node: at.partner, node_origin, programme: slug }
  home.enrolled({ membership, key: tls.key, signing, certificate, ca, node })
}

/** Proposed by one person of the programme and approved by others who may; all of it is thrown away with the sandbox. */
async function decide<A extends ActionName>({ participants, clock }: Parts, action: A, payload: PayloadOf<A>) {
  const people = (await participants.listPeople()).filter(({ active }) => active)
  const proposer = people.find(({ roles }) => roles.includes('node_admin'))
  if (proposer === undefined) throw new StartRefused('a sandbox needs an administrator: run aldis init')
  const { request_id } = await participants.propose(action, payload, proposer.person_id)
  for (const { person_id } of people) {
    const found = await participants.requestFor(person_id, request_id)
    if (found?.ballot === 'allowed') await participants.approve(request_id, person_id, clock())
  }
  return (await participants.execute(request_id, proposer.person_id)).result
}

interface Asked {
  by: { participant: Uuid; slug: string }
  asked: SandboxAsk
}

async function act(parts: Parts, connected: Connected, { by, asked }: Asked): Promise<SandboxDone> {
  if (asked.do === 'signal') return share(connected)
  const { signal } = asked
  if (asked.do === 'feedback') await answer(connected, by.slug, signal)
  else if (asked.do === 'erasure')
    await decide(parts, 'signals.erase', { participant: SLUG, signals: [signal], basis: 'sandbox' })
  else await follow(connected, signal, asked.do)
  return { source: SLUG, signal }
}

/** A link of example.org that nobody had before, to the whole programme. */
async function share({ home, client }: Connected): Promise<SandboxDone> {
  const { audiences } = await client.audiences()
  const everybody = audiences.find(({ kind }) => kind === 'programme')
  if (everybody === undefined) throw new Error('the programme has no audience')
  const raw = `https://sandbox.example/${newId(new Date())}`
  const derived = derive(
    { type: 'url', raw },
    {
      ...{ audience: everybody.audience, taxonomy: TAXONOMY, now: new Date(), days: daysOf },
      // A link is hashed without a key.
      epoch: { kid: '', tokens: new Map() },
      defaults: {
        ...{ category: 'network_hub', severity: 'low', confidence: 50, basis: 'automated', handling: 'monitor' },
        ...{ tlp: 'green', context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' } },
      },
    },
  )
  if (derived.outcome === 'refused') throw new Error(`the sandbox's own signal: ${derived.reason}`)
  await send({ home, client }, 'aldis-signal+jws', derived.item)
  return { source: SLUG, signal: derived.item.signal, raw }
}

/** A correction or the end of an own signal. */
async function follow({ home, client }: Connected, signal: Uuid, what: 'revision' | 'withdrawal'): Promise<void> {
  const { revision, item, leaf } = await client.own(signal)
  const next = { signal, revision: revision + 1, prev: leaf }
  if (what === 'withdrawal') await send({ home, client }, 'aldis-withdrawal+jws', { v: 1, ...next, reason: 'mistaken' })
  else await send({ home, client }, 'aldis-signal+jws', { ...(JSON.parse(item) as object), ...next, confidence: 60 })
}

async function send({ home, client }: Connected, typ: SubmissionType, item: object): Promise<void> {
  const { uri: iss, node_origin: aud, programme: prg } = home.membership()
  const signed = { typ, iss, aud, prg, items: [JSON.stringify(item)], key: home.signingKey(), now: new Date() }
  const { results } = await client.submit(await signSubmission(signed))
  const [first] = results
  if (first?.code !== undefined) throw new Refusal(first.code as ErrorCode, { detail: 'of the simulated participant' })
}

/** It has seen there what the asker shared. */
async function answer({ home, client }: Connected, source: string, signal: Uuid): Promise<void> {
  const dir = join(home.dir, 'feeds')
  await syncFeeds({ client, verifier: await verifierFor({ home, client }), dir, wait: 0 })
  const found = theSignal((await mirroredSignals(dir, new Set([signal]))).get(signal), source)
  if (found === undefined)
    throw new Refusal('not-found', { detail: 'no signal of yours that the simulated participant received' })
  const item = { v: 1 as const, source, signal, revision: found.revision, key: found.key }
  await client.giveFeedback(
    await signAct(
      { ...item, outcome: 'seen_here', reason: 'investigating' },
      { member: home.membership(), key: home.signingKey(), now: new Date() },
    ),
  )
}
