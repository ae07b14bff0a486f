import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SignalItem } from './schema.ts'

/** What is left of an item that was erased: what its log entry committed to, and neither value, note nor salt. */
export interface ItemStub {
  v: 1
  signal: Uuid
  revision: number
  /** The leaf hash that the item had, base64url. */
  leaf: string
  /** Absent for a withdrawal, which never told them. */
  audience?: Uuid
  type?: string
  category?: string
  expires_at?: string
}

export function stubOf(item: string, leaf: Uint8Array): ItemStub {
  const { signal, revision, audience, type, category, expires_at } = JSON.parse(item) as Partial<SignalItem>
  if (signal === undefined || revision === undefined) throw new Error('a stored item without signal or revision')
  const stub: ItemStub = { v: 1, signal, revision, leaf: toBase64Url(leaf) }
  return audience === undefined ? stub : { ...stub, ...({ audience, type, category, expires_at } as Partial<ItemStub>) }
}
