import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { onlyWriter } from '../../bridge/writer.ts'
import { type MirroredSignal, mirroredSignals, signAct, theSignal } from '../../client/acts.ts'
import { verifierFor } from '../../client/connected.ts'
import { derive } from '../../client/derive.ts'
import { AldisError } from '../../client/errors.ts'
import { syncFeeds } from '../../client/mirror.ts'
import type { VerifiedEvent } from '../../client/verify.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import type { ConformanceStep, SandboxAsk, SandboxDone } from '../../sandbox/schema.ts'
import { signSubmission } from '../../signals/submission.ts'
import { openHomeContext } from './context.ts'
import { clockText } from './doctor-rules.ts'
import type { Session } from './session.ts'

/** What a step says once it passed; it throws where it did not. */
export type Steps = Readonly<Record<ConformanceStep, () => Promise<string>>>

const PATIENCE_MS = 20_000
const WAIT_SECONDS = 2
/** An event of a feed, verified. */
type Seen = VerifiedEvent['event']

export function createSteps(session: Session): Steps {
  const { client, home, member } = session
  const known: { peer?: SandboxDone; own?: Uuid } = {}
  const peer = (): SandboxDone => known.peer ?? fail('no signal came to do it with')

  return {
    clock: async () => {
      const before = Date.now()
      const { time } = await client.whoami()
      return clockText(time, { before, after: Date.now() })
    },
    mutual_tls: async () => {
      if (await isServedBare(session)) fail('the node answers without a client certificate')
      return `${(await client.whoami()).participant.slug} by its certificate, and nobody without one`
    },
    admitted_key: async () => {
      const { kid } = home.signingKey()
      const { participants } = await client.participants()
      const own = participants.find(({ slug }) => slug === member.participant)
      const key = own?.signing_keys.find((one) => one.kid === kid)
      return key?.status === 'active' ? `signing key ${kid}` : fail('the signing key is not active; aldis rotate')
    },
    submit: async () => {
      known.own = await submitOne(session)
      return `signal ${known.own}, with a receipt`
    },
    sync_verified: async () => {
      known.peer = await ask(session, { do: 'signal' })
      const { signal } = known.peer
      await synced(session, (event) => event.type === 'signal.created' && event.signal === signal)
      const { size } = await home.advance(client)
      return `signal ${signal} of ${known.peer.source}, its signature and a log of ${size} entries verified`
    },
    lookup: async () => {
      const found = await lookedUp(session, await mirrored(session, peer()))
      return found ? 'found by its match key' : fail('the signal was not found')
    },
    feedback: async () => {
      const about = await mirrored(session, peer())
      const item = {
        v: 1 as const,
        source: about.source,
        signal: about.signal,
        revision: about.revision,
        key: about.key,
      }
      const by = { member, key: home.signingKey(), now: new Date() }
      await client.giveFeedback(await signAct({ ...item, outcome: 'seen_here', reason: 'investigating' }, by))
      const own = known.own ?? fail('nothing was submitted that could be answered')
      await ask(session, { do: 'feedback', signal: own })
      await synced(session, (event) => event.type === 'feedback.received' && event.signal === own)
      return 'given under our signature, and received of our own signal'
    },
    withdrawal_obeyed: async () => {
      const about = await mirrored(session, peer())
      await ask(session, { do: 'withdrawal', signal: about.signal })
      await acknowledged(session, await synced(session, isEnd('signal.withdrawn', about.signal)))
      return (await lookedUp(session, about)) ? fail('a withdrawn signal is still found') : 'gone, and acknowledged'
    },
    erasure_acknowledged: async () => {
      const { signal } = await ask(session, { do: 'signal' })
      await synced(session, (event) => event.type === 'signal.created' && event.signal === signal)
      await ask(session, { do: 'erasure', signal })
      await acknowledged(session, await synced(session, isEnd('signal.erased', signal)))
      return 'its bytes are gone here, and that is acknowledged'
    },
    webhook_answered: () => webhookAnswered(session),
  }
}

const isEnd =
  (type: string, signal: Uuid) =>
  (event: Seen): boolean =>
    event.type === type && event.signal === signal

function fail(says: string): never {
  throw new Error(says)
}

/** What the node's simulated participant is to do. */
async function ask({ client }: Session, asked: SandboxAsk): Promise<SandboxDone> {
  try {
    const call = { method: 'POST', path: '/v1/sandbox/asks', body: JSON.stringify(asked), idempotent: false } as const
    const { body } = await client.transport.call(call)
    return JSON.parse(body.toString()) as SandboxDone
  } catch (error) {
    const isAbsent = error instanceof AldisError && error.code === 'not-found' && asked.do === 'signal'
    throw isAbsent ? new Error('this node is no sandbox (SANDBOX=on): nobody there answers on request') : error
  }
}

/** Takes what comes until the event is there, every signature checked. */
async function synced(session: Session, wanted: (event: Seen) => boolean): Promise<Seen> {
  const { client, home } = session
  const verifier = await verifierFor(session)
  const until = performance.now() + PATIENCE_MS
  const letGo = await onlyWriter(home.dir)
  try {
    let found: Seen | undefined
    const onEvents = (_feed: unknown, events: readonly VerifiedEvent[]): void => {
      found ??= events.find(({ event }) => wanted(event))?.event
    }
    const told = { onEvents, onRead: home.noteRead }
    while (found === undefined && performance.now() < until)
      await syncFeeds({ client, verifier, dir: join(home.dir, 'feeds'), wait: WAIT_SECONDS, ...told })
    return found ?? fail('it did not come in time')
  } finally {
    await letGo()
  }
}

const acknowledged = async ({ client }: Session, { feed, seq }: Seen): Promise<void> => {
  await client.acknowledge(feed as Uuid, seq, 'mirror_removed')
}

async function mirrored(
  { home }: Session,
  { signal, source }: Pick<SandboxDone, 'signal' | 'source'>,
): Promise<MirroredSignal> {
  const found = await mirroredSignals(join(home.dir, 'feeds'), new Set([signal]))
  return theSignal(found.get(signal), source) ?? fail('the signal is not in the mirror')
}

async function lookedUp({ client, home }: Session, { key, source, signal }: MirroredSignal): Promise<boolean> {
  const queries = [{ type: 'url' as const, profile: 'url/1', keys: [key] }]
  const { matches, read, digest } = await client.lookUp({ queries, purpose: 'investigation' })
  home.noteRead(read, digest)
  return matches.some(({ event }) => event.source === source && event.signal === signal)
}

/** A link that nobody had before, hashed and signed here; answers its id once the log has it. */
async function submitOne(session: Session): Promise<Uuid> {
  const { client, member } = session
  const { context, key } = await openHomeContext(session, {
    ...{ category: 'network_hub', severity: 'low', confidence: '50', tlp: 'green', handling: 'monitor' },
    ...{ basis: 'automated', region: 'IE', legalBasis: 'terms_of_service', surface: 'public' },
  })
  // A link is hashed without a key.
  const epoch = { kid: '', tokens: new Map<string, string>() }
  const raw = `https://conformance.example/${newId(new Date())}`
  const derived = derive({ type: 'url', raw }, { ...context, epoch })
  if (derived.outcome === 'refused') return fail(derived.reason)
  const signed = await signSubmission({
    ...{ typ: 'aldis-signal+jws', iss: member.uri, aud: member.node_origin, prg: member.programme },
    ...{ items: [JSON.stringify(derived.item)], key, now: new Date() },
  })
  const { submission, results } = await client.submit(signed)
  const [first] = results
  if (submission === null || first?.code !== undefined) return fail(`refused: ${first?.code ?? 'nothing was stored'}`)
  if ((await client.receipt(submission)) === undefined) return fail('no receipt came in time')
  return derived.item.signal
}

/** Whether the partner listener lets anybody in who shows no certificate. */
function isServedBare({ home, member }: Session): Promise<boolean> {
  const { hostname, port } = new URL(member.node)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), ca: home.identity().ca, servername: '' })
    const end = (served: boolean): void => {
      socket.destroy()
      resolve(served)
    }
    // By TLS 1.3 a client believes in its connection before it is refused: what counts is an answer.
    socket.once('secureConnect', () => socket.write(`GET /v1/whoami HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`))
    socket
      .once('data', () => end(true))
      .once('error', () => end(false))
      .once('close', () => end(false))
    socket.setTimeout(5_000, () => end(false))
  })
}

async function webhookAnswered({ client }: Session): Promise<string> {
  const { endpoints } = await client.webhooks.list()
  const endpoint = endpoints.find(({ feeds }) => feeds.length > 0)
  if (endpoint === undefined) return fail('no webhook of a program is there; aldis webhooks add URL --feed LABEL')
  const { message } = await client.webhooks.test(endpoint.endpoint, newId(new Date()))
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await delay(250)) {
    const { deliveries } = await client.webhooks.deliveries(endpoint.endpoint)
    const own = deliveries.find((one) => one.message === message)
    if (typeof own?.delivered_at === 'string') return `${endpoint.url} took ${message}`
    if (typeof own?.fault === 'string') return fail(`${endpoint.url}: ${own.fault}`)
  }
  return fail('the test was not posted in time')
}
