import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { deltaText } from './delta.ts'
import type { ReadableFeed } from './directory.ts'

export interface DeltaSigning {
  directory: { isSealed(feed: ReadableFeed['feed_id']): boolean }
  /** Signs what is given out of sealed feeds: the node's receipt key. */
  deltaKey: { kid: string; sign(data: Uint8Array): Promise<Uint8Array> }
}

/** `<kid> <base64url signature>`: no source signs a sealed entry, so that the node stands for what it made of them. */
export async function signedDelta(
  { deltaKey, directory }: DeltaSigning,
  delta: { feed: Uuid; from: bigint; to: bigint; digest: string },
): Promise<string | undefined> {
  if (!directory.isSealed(delta.feed)) return undefined
  return `${deltaKey.kid} ${toBase64Url(await deltaKey.sign(Buffer.from(deltaText(delta))))}`
}
