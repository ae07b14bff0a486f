import type { VerifyEd25519 } from '../../provenance/note.ts'

interface AskedSignature {
  publicKey: Uint8Array
  data: Uint8Array
  signature: Uint8Array
}

const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

/**
 * The browser verifies Ed25519 later, and whoever asks wants to know at once: so `ask` is listened to, every signature that it
 * asks for is verified, and the answers are what it is then told. Undefined where the browser cannot.
 */
export async function ed25519For(ask: (verify: VerifyEd25519) => void): Promise<VerifyEd25519 | undefined> {
  const asked: AskedSignature[] = []
  ask((publicKey, data, signature) => {
    asked.push({ publicKey, data, signature })
    return true
  })
  const found = new Map<string, boolean>()
  try {
    for (const one of asked) found.set(nameOf(one), await holds(one))
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return undefined
    throw error
  }
  return (publicKey, data, signature) => found.get(nameOf({ publicKey, data, signature })) === true
}

async function holds({ publicKey, data, signature }: AskedSignature): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', own(publicKey), 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', key, own(signature), own(data))
}

const nameOf = ({ publicKey, data, signature }: AskedSignature): string => `${publicKey} ${data} ${signature}`
