import { readFileSync } from 'node:fs'
import { KID } from './core.ts'
import type { FeedbackService } from './feedback/service.ts'
import type { FeedService } from './feeds/service.ts'
import { createLoop, type Loop } from './jobs/loop.ts'
import { StartRefused } from './kernel/errors.ts'
import type { Uuid } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { createNotices, type Notices } from './notices/service.ts'
import type { Parts } from './parts.ts'
import type { ReviewService } from './review/service.ts'
import { createDelivering } from './webhooks/deliver.ts'
import type { FeedHead } from './webhooks/feeds.ts'
import { createPoster } from './webhooks/post.ts'
import { createWebhooks, type Webhooks } from './webhooks/service.ts'
import { publicKeyText } from './webhooks/signing.ts'

export interface Notifying {
  notices: Notices
  webhooks: Webhooks
  /** By which receivers verify `v1a`. */
  webhookKey: string
  /** Feeds have grown: who is told of them is told. */
  grew(): void
  loops: readonly Loop[]
}

/** Many events that come at once are told of by one message. */
const FEEDS_REST_MS = 100

type Used = Pick<Parts, 'config' | 'clock' | 'pools' | 'keys' | 'provenance' | 'authority' | 'certificate'>

/** What waits for organisations, for their people and for their own systems. */
export function createNotifying(
  { config, clock, pools, keys, provenance, authority, certificate }: Used,
  { review, feedback, feeds }: { review: ReviewService; feedback: FeedbackService; feeds: Pick<FeedService, 'feeds'> },
  log: Log,
): Notifying {
  const notices = createNotices({
    ...{ clock, review, feedback },
    credentialsOf: (participant) =>
      authority
        .credentials()
        .filter((one) => one.participant === participant && one.status === 'active')
        .map(({ credential, not_after }) => ({ credential, not_after })),
  })
  // The first secret has no number in it: it was so before there were others.
  const secretOf = (endpoint: Uuid, number: number): Buffer =>
    keys.mac(KID.webhook, Buffer.from(`webhook-secret ${endpoint}${number === 1 ? '' : ` ${number}`}`))
  const headsOf = async (participant: Uuid): Promise<FeedHead[]> => {
    const list = await feeds.feeds({ participant, slug: authority.slugOf(participant), route: '' })
    return list.feeds.map(({ feed, from_seq, last_seq }) => ({
      ...{ feed, from_seq: BigInt(from_seq), last_seq: BigInt(last_seq) },
    }))
  }
  const hosts = config.webhookHosts ?? new Map<string, ReadonlySet<string>>()
  const webhooks = createWebhooks({
    ...{ db: pools.app, clock, provenance, hosts, secretOf, headsOf, onWaiting: () => post.wake() },
  })
  const delivering = createDelivering({
    ...{ app: pools.app, projector: pools.projector, clock, noticesOf: notices.of, random: Math.random },
    poster: createPoster({
      ...{ allowInside: config.webhookInside === 'allow', ca: authoritiesOf(config.webhookCa) },
      identity: certificate,
    }),
    ...{ hosts, slugOf: authority.slugOf, headsOf },
    isActive: (participant) => authority.participantById(participant)?.status === 'active',
    keysOf: (endpoint, numbers) => ({
      secrets: numbers.map((number) => secretOf(endpoint, number)),
      sign: (data) => keys.sign(KID.webhookSign, data),
    }),
    onGone: (participant, endpoint) =>
      webhooks.endAsAsked({ participant, slug: authority.slugOf(participant) }, endpoint),
    onFree: () => post.wake(),
  })
  const loopOf = (name: string, idleMs: number, work: () => Promise<number>, restMs = 0): Loop =>
    createLoop({
      ...{ idleMs, restMs, round: async () => (await work()) > 0 },
      onError: (error) => log.error({ name, error }, 'a loop failed'),
    })
  const post = loopOf('webhooks', 1_000, delivering.post)
  const gather = loopOf('notices', 5_000, async () => {
    if ((await delivering.gather()) > 0) post.wake()
    return 0
  })
  const gatherFeeds = loopOf(
    'feed-webhooks',
    1_000,
    async () => {
      const made = await delivering.gatherFeeds()
      if (made > 0) post.wake()
      return made
    },
    FEEDS_REST_MS,
  )
  return {
    notices,
    grew: () => gatherFeeds.wake(),
    webhooks,
    webhookKey: publicKeyText(keys.publicKey(KID.webhookSign)),
    loops: [gather, gatherFeeds, { ...post, stop: () => post.stop().then(() => delivering.settled()) }],
  }
}

function authoritiesOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new StartRefused('settings:\n  WEBHOOK_CA: names no file that can be read', { cause })
  }
}
