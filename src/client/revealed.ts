import { createReadStream } from 'node:fs'
import type { RevealResult } from '../feeds/schema.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { SignalItem } from '../signals/schema.ts'
import { valueFault } from '../signals/value-rule.ts'
import { LIVE } from './ends.ts'
import { VerificationFailed } from './errors.ts'
import { linesOf } from './lines.ts'
import type { MirrorLine } from './mirror-lines.ts'
import { mirroredFeeds } from './mirror-reader.ts'

type Revealed = Pick<RevealResult, 'source' | 'signal' | 'type' | 'value'>

/**
 * Holds a link that the node revealed against what its source signed, as the mirror in a folder has it. False where the mirror
 * has nothing of the signal: then the link is the node's word. Throws `VerificationFailed` where it is another link, or of another
 * signal or source than was asked for.
 */
export async function checkRevealed(
  dir: string,
  revealed: Revealed,
  asked: { signal: string; source?: string | undefined },
): Promise<boolean> {
  const { source, signal, type, value } = revealed
  if (signal !== asked.signal || (asked.source !== undefined && source !== asked.source))
    throw new VerificationFailed('reveal', 'the node answered for another signal')
  let known = false
  // A later revision may say another scope than the one that the link was sealed under.
  for await (const item of mirroredItems(dir, revealed)) {
    if (item.type === type && valueFault(sha256, item, value) === undefined) return true
    known = true
  }
  if (known) throw new VerificationFailed('reveal', 'the source signed the signal of another link')
  return false
}

/** What a source signed of a signal, in each revision that is mirrored. */
async function* mirroredItems(dir: string, revealed: Revealed): AsyncGenerator<SignalItem> {
  for (const { file, bytes } of mirroredFeeds(dir).filter((feed) => feed.bytes > 0)) {
    for await (const line of linesOf(createReadStream(file, { end: bytes - 1 }))) {
      const item = itemIn(line, revealed)
      if (item !== undefined) yield item
    }
  }
}

function itemIn(line: string, { source, signal }: Revealed): SignalItem | undefined {
  if (!line.includes(signal)) return undefined
  const { event } = JSON.parse(line) as MirrorLine
  if (event?.item === undefined || event.signal !== signal || event.source !== source) return undefined
  return LIVE.has(event.type) ? (JSON.parse(event.item) as SignalItem) : undefined
}
