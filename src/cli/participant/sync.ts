import { join } from 'node:path'
import type { Command } from 'commander'
import { ENDS, syncFeeds } from '../../client/mirror.ts'
import type { VerifiedEvent } from '../../client/verify.ts'
import { type Session, verifierFor, withSession } from './session.ts'

export function syncCommand(program: Command): void {
  program
    .command('sync')
    .description('take what is new in our feeds, verify every signature, and keep it in the folder')
    .option('--wait <seconds>', 'wait for something new, up to 30', '0')
    .option('--acknowledge', 'tell the sources that withdrawn and expired signals are removed here')
    .action((options: SyncOptions, command: Command) => withSession(command, (session) => sync(session, options)))
}

interface SyncOptions {
  wait: string
  acknowledge?: boolean
}

async function sync(session: Session, { wait, acknowledge }: SyncOptions): Promise<void> {
  const { client, home, output } = session
  const verifier = await verifierFor(session)
  const ends = new Map<string, string>()
  let bar: ReturnType<typeof output.progress> | undefined
  const n = await syncFeeds({
    ...{ client, verifier, dir: join(home.dir, 'feeds'), wait: Number(wait) },
    onRead: (read) => home.note('reads.ndjson', { read, at: new Date().toISOString() }),
    onEvents: (feed, events) => {
      for (const one of events) output.data(datumOf(feed.label, one), textOf(feed.label, one))
      const last = events.findLast(({ event }) => ENDS.has(event.type))
      if (last !== undefined) ends.set(feed.feed, last.event.seq)
    },
    onProgress: ({ seq, last, label }) => {
      bar ??= output.progress(`syncing ${label}`, Number(last))
      bar.at(Number(seq))
    },
  })
  bar?.end()
  if (acknowledge === true)
    for (const [feed, upto] of ends) await client.acknowledge(feed as never, upto, 'mirror_removed')
  const { size } = await home.advance(client)
  output.say(
    n === 0
      ? `nothing new; log of ${size} entries is consistent`
      : `${n} events, every signature verified; log of ${size} entries is consistent`,
  )
}

const datumOf = (feed: string, { event, authority, item }: VerifiedEvent): object => {
  const { seq, type, at, source, signal, revision, event: submission, reason } = event
  return { feed, seq, type, at, source, signal, revision, event: submission, authority, reason, item }
}

function textOf(feed: string, { event, item, authority }: VerifiedEvent): string {
  const what =
    item === undefined ? '' : `${String(item['type'] ?? item['reason'] ?? '')}  ${String(item['category'] ?? '')}`
  const by = authority === 'origin' ? `signed by ${event.source}` : `said by the node: ${event.reason ?? ''}`
  return `${feed} ${event.seq.padStart(4)}  ${event.type.padEnd(16)}  ${event.signal}  revision ${event.revision}  ${what}  ${by}`.trimEnd()
}
