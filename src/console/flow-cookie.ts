import { createCipheriv, createDecipheriv } from 'node:crypto'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { fromBase64Url, toBase64Url } from '../kernel/bytes.ts'
import type { Href } from './links.ts'
import type { Flow } from './oidc.ts'

/** Long enough to find one's second factor. */
export const FLOW_MS = 10 * 60_000

const Sealed = Compile(
  Type.Object(
    {
      flow: Type.Object(
        {
          ...{ provider: Type.String(), state: Type.String(), nonce: Type.String(), verifier: Type.String() },
          stepUp: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
      to: Type.String({ pattern: '^/' }),
      until: Type.Number(),
    },
    { additionalProperties: false },
  ),
)

export interface Kept {
  flow: Flow
  /** Where the person wanted to go. */
  to: Href
}

/**
 * What a sign-in under way has to remember, in a cookie that only this process can open: whoever never finishes leaves
 * nothing behind, and a restart asks to begin again.
 */
export function createFlowCookies(key: Buffer, randomBytes: (n: number) => Buffer) {
  return {
    seal(kept: Kept, now: Date): string {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const text = JSON.stringify({ ...kept, until: now.getTime() + FLOW_MS })
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return toBase64Url(Buffer.concat([nonce, body, cipher.getAuthTag()]))
    },
    open(value: string, now: Date): Kept | undefined {
      const bytes = fromBase64Url(value)
      if (bytes === undefined || bytes.length < 29) return undefined
      const opened = decrypted(key, Buffer.from(bytes))
      if (opened === undefined || !Sealed.Check(opened) || opened.until < now.getTime()) return undefined
      return { flow: opened.flow, to: opened.to as Href }
    },
  }
}

function decrypted(key: Buffer, bytes: Buffer): unknown {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Each sign-in under way has its own, so that two tabs do not take each other's. */
export const flowCookieName = (state: string): string =>
  `__Host-flow-${state.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 12)}`
