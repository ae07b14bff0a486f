import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { matchFileOf } from '../client/match-mirror.ts'
import { createMatcher, type Matcher, type PatternSignal } from '../client/matcher.ts'
import { openSealedMirror, type PrivateLookUp } from '../client/private-lookup.ts'
import type { FeedList } from '../feeds/schema.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { createTextMatcher, type TextHit } from '../matching/text-match.ts'
import { isTold } from './answer.ts'
import { BRIDGE_LIMITS } from './limits.ts'

/** A keyword pattern that a text matches, and where. */
export interface TextMatch extends Pick<TextHit, 'start' | 'end'> {
  found: PatternSignal
}

/** Keyword patterns, ready for texts. */
export interface Texts {
  /** Those that match and have not expired, in the order of their places. */
  match(text: string): TextMatch[]
}

/** The mirror as it stood after one synchronisation. */
export interface OpenMirror {
  matcher: Matcher
  /** Made with the first text. */
  texts(): Texts
}

export interface SealedAudience {
  audience: Uuid
  label: string
  look: PrivateLookUp
}

export interface Mirrors {
  /** Whether there is one to match in. */
  ready(): boolean
  /** Lets work use the present mirror; one that is replaced meanwhile stays open until the work is done. */
  use<T>(work: (mirror: OpenMirror) => Promise<T>): Promise<T | undefined>
  sealed(): readonly SealedAudience[]
  /** Opens the files anew, after a synchronisation and before the next: throws `MatchFileRefused`, and keeps what was open. */
  reopen(changed: { full: boolean; sealed: readonly FeedList['feeds'][number][] | undefined }): void
  /** Signals that can be matched. */
  size(): number
  close(): Promise<void>
}

const TOLD = { most: BRIDGE_LIMITS.matches, tells: isTold }

interface Generation extends OpenMirror {
  users: number
  retired: boolean
}

export function createMirrors(home: string, { programme, clock }: { programme: string; clock: Clock }): Mirrors {
  let current: Generation | undefined
  let sealed: readonly SealedAudience[] = []
  const closing = new Set<Promise<void>>()

  const retire = (generation: Generation | undefined): void => {
    if (generation === undefined) return
    generation.retired = true
    if (generation.users === 0) end(generation)
  }
  const end = ({ matcher }: Generation): void => {
    const closed = matcher.close().finally(() => closing.delete(closed))
    closing.add(closed)
  }

  return {
    ready: () => current !== undefined,
    sealed: () => sealed,
    size: () => current?.matcher.header.counts.signals ?? 0,
    async use(work) {
      const mine = current
      if (mine === undefined) return undefined
      mine.users += 1
      try {
        return await work(mine)
      } finally {
        mine.users -= 1
        if (mine.retired && mine.users === 0) end(mine)
      }
    },
    reopen(changed) {
      if (changed.sealed !== undefined) sealed = openSealed(join(home, 'feeds'), changed.sealed, clock)
      if (!changed.full || !existsSync(matchFileOf(home))) return
      const next = generationOf(createMatcher(matchFileOf(home), { ...TOLD, programme, now: clock }), clock)
      retire(current)
      current = next
    },
    async close() {
      retire(current)
      current = undefined
      await Promise.all(closing)
    },
  }
}

function generationOf(matcher: Matcher, clock: Clock): Generation {
  let texts: Texts | undefined
  return {
    matcher,
    texts() {
      texts ??= textsOf(matcher.patterns(), clock)
      return texts
    },
    users: 0,
    retired: false,
  }
}

function textsOf(patterns: readonly PatternSignal[], clock: Clock): Texts {
  const matcher = createTextMatcher(patterns)
  return {
    match: (text) =>
      matcher.match(text).flatMap(({ pattern, start, end }) => {
        const found = patterns[pattern]
        // A generation stays while the node is away or has nothing new: meanwhile patterns expire.
        const lives = found !== undefined && Date.parse(found.expires_at) > clock().getTime()
        return lives ? [{ found, start, end }] : []
      }),
  }
}

function openSealed(dir: string, feeds: readonly FeedList['feeds'][number][], now: Clock): SealedAudience[] {
  return feeds.flatMap(({ feed, audience, label, mode }) => {
    if (mode !== 'sealed' || audience === null || !existsSync(join(dir, `${feed}.sealed`))) return []
    return [{ audience, label, look: openSealedMirror(dir, { feed, audience, now }) }]
  })
}
