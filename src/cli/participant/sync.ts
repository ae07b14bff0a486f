import { join } from 'node:path'
import type { Command } from 'commander'
import { acknowledge, unacknowledged } from '../../bridge/acknowledge.ts'
import { onlyWriter } from '../../bridge/writer.ts'
import type { SourceInfo } from '../../client/client.ts'
import { verifierAnew, verifierFor } from '../../client/connected.ts'
import { type MatchUpdate, matchFileOf, updateMatchFile } from '../../client/match-mirror.ts'
import { syncFeeds } from '../../client/mirror.ts'
import { createSegmentThreads } from '../../client/segment-threads.ts'
import { newSourceKeys } from '../../client/source-keys.ts'
import type { VerifiedEvent } from '../../client/verify.ts'
import { removeDurably } from '../../kernel/durable.ts'
import { type Session, withSession } from './session.ts'

export function syncCommand(program: Command): void {
  program
    .command('sync')
    .description('take what is new in our feeds, verify every signature, and keep it in the folder')
    .option('--wait <seconds>', 'wait for something new, up to 30', '0')
    .option('--acknowledge', 'tell the sources that withdrawn, expired and erased signals are removed here')
    .option('--no-match-file', 'make no file for aldis match; one that is there goes, for it would keep what has ended')
    .action((options: SyncOptions, command: Command) =>
      withSession(command, async (session) => {
        const letGo = await onlyWriter(session.home.dir)
        await sync(session, options).finally(letGo)
      }),
    )
}

interface SyncOptions {
  wait: string
  acknowledge?: boolean
  matchFile: boolean
}

async function sync(session: Session, { wait, acknowledge: acknowledges, matchFile }: SyncOptions): Promise<void> {
  const { client, home, output } = session
  const verifier = await verifierFor(session)
  tellNewKeys(session, verifier.by.sources)
  const threads = createSegmentThreads(verifier.by)
  let bar: ReturnType<typeof output.progress> | undefined
  const matches = matchFile ? matchUpdate(session) : undefined
  const n = await syncFeeds({
    ...{ client, verifier, threads, dir: join(home.dir, 'feeds'), wait: Number(wait) },
    relisted: async () => {
      const anew = await verifierAnew(session, verifier)
      if (anew !== undefined) tellNewKeys(session, anew.by.sources)
      return anew
    },
    onRead: home.noteRead,
    onEvents: (feed, events) => {
      for (const one of events) output.data(datumOf(feed.label, one), textOf(feed.label, one))
    },
    ...(matches === undefined ? {} : { onMirrored: matches.take }),
    onPaused: ({ label }) => output.warn(`${label} is paused by the programme; it goes on later where it stands`),
    onSealed: (feed, sealed) => {
      if (sealed > 0) output.data({ feed: feed.label, sealed }, `${feed.label}  ${sealed} sealed entries`)
    },
    onProgress: ({ seq, last, label }) => {
      bar ??= output.progress(`syncing ${label}`, Number(last))
      bar.at(Number(seq))
    },
  }).finally(threads.close)
  bar?.end()
  // Before ends are acknowledged: what they say is then so for whoever matches.
  if (matches === undefined) removeDurably(matchFileOf(home.dir))
  else await matches.finish()
  // Those too that a run before this one took and, ended in between, told nobody of.
  if (acknowledges === true) await acknowledge(client, home.dir, unacknowledged(home.dir))
  const { size } = await home.advance(client)
  output.say(
    n === 0
      ? `nothing new; log of ${size} entries is consistent`
      : `${n} events, every signature verified; log of ${size} entries is consistent`,
  )
}

function tellNewKeys({ home, output }: Session, sources: readonly SourceInfo[]): void {
  const { found, keep } = newSourceKeys(home.dir, sources)
  for (const { source, kid, since } of found)
    output.warn(`${source} has a new signing key, ${kid}, since ${since}, as the node says`)
  keep()
}

function matchUpdate({ home, member, output }: Session): MatchUpdate {
  let bar: ReturnType<typeof output.progress> | undefined
  const update = updateMatchFile({
    ...{ home: home.dir, programme: member.programme, now: new Date() },
    onProgress: (done, all) => {
      bar ??= output.progress('preparing matches', all)
      bar.at(done)
    },
  })
  return { ...update, finish: () => update.finish().finally(() => bar?.end()) }
}

const datumOf = (feed: string, { event, authority, item }: VerifiedEvent): object => {
  const { seq, type, at, source, signal, revision, event: submission, reason } = event
  return { feed, seq, type, at, source, signal, revision, event: submission, authority, reason, item }
}

const BY: Readonly<Record<VerifiedEvent['authority'], (event: VerifiedEvent['event']) => string>> = {
  origin: ({ source }) => `signed by ${source}`,
  attested: ({ source }) => `decided by a person of ${source}, as the node says; nobody signed it`,
  node: ({ reason }) => `said by the node: ${reason ?? ''}`,
}

function textOf(feed: string, { event, item, authority }: VerifiedEvent): string {
  const what =
    item === undefined ? '' : `${String(item['type'] ?? item['reason'] ?? '')}  ${String(item['category'] ?? '')}`
  const by = BY[authority](event)
  return `${feed} ${event.seq.padStart(4)}  ${event.type.padEnd(16)}  ${event.signal}  revision ${event.revision}  ${what}  ${by}`.trimEnd()
}
